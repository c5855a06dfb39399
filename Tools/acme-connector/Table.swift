/// Rows of text in columns as wide as their widest cell.
struct Table {
  /// A column: its title, and what it shows of a row.
  struct Column<Row> {
    let title: String
    let text: (Row) -> String?

    /// A column; a row of which it has nothing to show gets a dash.
    init(_ title: String, _ text: @escaping (Row) -> String?) {
      self.title = title
      self.text = text
    }
  }

  private let titles: [String]
  private let rows: [[String]]

  /// A table with a line for each of `rows`.
  init<Row>(_ rows: [Row], _ columns: [Column<Row>]) {
    self.titles = columns.map(\.title)
    self.rows = rows.map { row in
      columns.map { column in
        guard let text = column.text(row)?.printable, !text.isEmpty else { return "-" }
        return text
      }
    }
  }

  /// Whether there is no row.
  var isEmpty: Bool { rows.isEmpty }

  /// The table as lines, titles first. A line longer than `width` is cut, and an ellipsis says so; without a width nothing is cut.
  func lines(width: Int? = nil) -> [String] {
    let all = [titles] + rows
    let widths = titles.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
    return all.map { cells in
      let padded = zip(cells, widths).map { cell, width in cell + String(repeating: " ", count: width - cell.count) }
      return padded.joined(separator: "  ").withoutTrailingSpaces.cut(to: width)
    }
  }
}

extension String {
  fileprivate var withoutTrailingSpaces: String {
    String(self[..<(lastIndex { $0 != " " }.map(index(after:)) ?? startIndex)])
  }

  fileprivate func cut(to width: Int?) -> String {
    guard let width, count > width else { return self }
    return prefix(max(width - 1, 0)) + "…"
  }
}
