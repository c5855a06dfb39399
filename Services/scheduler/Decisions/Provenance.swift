/// Where the database comes from, by the signs that it has. Each state of it has a number, its generation, which is also kept beside it: a backup that is
/// put in its place has an older one.
struct Provenance: Hashable {
  /// It is a copy that the connector made as a backup.
  var isCopy = false
  /// The number in the database; nil before its first.
  var generation: Int64?
  /// The last number that was written beside it; nil where there is none.
  var noted: Int64?

  /// Whether something happened after this state that it does not know. The number beside the database is written after the one in it: it is never
  /// higher, but for a state that is older than one that was here.
  var isRestored: Bool {
    if isCopy { return true }
    guard let noted else { return generation != nil }
    return noted > generation ?? 0
  }
}
