import PKI

/// A moment as calendar and clock show it, in UTC and the Gregorian calendar: what the dates of HTTP and of RFC 3339 are made of.
struct CivilTime {
  var year: Int
  var month: Int
  var day: Int
  var hour: Int
  var minute: Int
  /// 60 in a leap second.
  var second: Int

  /// The moment, or nil if no calendar or clock shows this, or it lies before 1970.
  var instant: Instant? {
    guard (1970...9999).contains(year), (1...12).contains(month), (1...daysInMonth).contains(day), (0...23).contains(hour),
      (0...59).contains(minute), (0...60).contains(second)
    else { return nil }
    let seconds = daysSince1970 * 86_400 + hour * 3600 + minute * 60 + second
    return Instant(milliseconds: Int64(seconds) * 1000)
  }

  private var daysInMonth: Int {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  /// Counted from March, so that the leap day is the year's last.
  private var daysSince1970: Int {
    let year = month > 2 ? year : year - 1
    let monthsSinceMarch = (month + 9) % 12
    let dayOfYear = (153 * monthsSinceMarch + 2) / 5 + day - 1
    return year * 365 + year / 4 - year / 100 + year / 400 + dayOfYear - 719_468
  }
}
