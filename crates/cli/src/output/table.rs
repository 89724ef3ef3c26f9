//! Tables for people: columns two blanks apart, no frame, as wide as the terminal.

use super::style::HEADING;
use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table, Width, presets};
use std::io::{self, Write};

/// Blanks between two columns.
const GAP: u16 = 2;

/// A table with these headings; `right` are the numbers of the columns that hold numbers.
pub(crate) fn new(headings: &[&str], right: &[usize], width: Option<u16>) -> Table {
    let mut table = Table::new();
    let _ = table.load_style(presets::NOTHING).set_header(headings);
    match width {
        Some(width) => {
            let _ = table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        }
        // A pipe gets one line for each row, whatever its length.
        None => {
            let _ = table.set_content_arrangement(ContentArrangement::Disabled);
        }
    }
    let last = headings.len().saturating_sub(1);
    for (number, column) in table.column_iter_mut().enumerate() {
        let _ = column.set_padding((0, if number == last { 0 } else { GAP }));
        if right.contains(&number) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// The table as it fits its terminal: folded between words only, since a piece of an address or of a name is of no use.
/// Where whole words do not fit, each row is one line, which the terminal wraps and copies whole.
fn fitted(table: &Table) -> Table {
    let mut fitted = table.clone();
    let Some(width) = table.width() else { return fitted };
    // A table of the same cells with each word on a line of its own tells how wide the words are.
    let mut words = Table::new();
    for row in table.header().into_iter().chain(table.row_iter()) {
        let _ = words.add_row(row.cell_iter().map(|cell| cell.content().replace(' ', "\n")));
    }
    let least = words.column_max_content_widths();
    let gaps = GAP.saturating_mul(u16::try_from(least.len()).unwrap_or(u16::MAX).saturating_sub(1));
    if least.iter().fold(gaps, |sum, width| sum.saturating_add(*width)) > width {
        let _ = fitted.set_content_arrangement(ContentArrangement::Disabled);
        return fitted;
    }
    let last = least.len().saturating_sub(1);
    for (number, (column, least)) in fitted.column_iter_mut().zip(least).enumerate() {
        let least = least.saturating_add(if number == last { 0 } else { GAP });
        let _ = column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(least)));
    }
    fitted
}

/// Writes the table, its headings in bold, without blanks at the ends of lines.
pub(crate) fn write(out: &mut impl Write, table: &Table) -> io::Result<()> {
    let table = fitted(table);
    for (number, line) in table.lines().enumerate() {
        let line = line.trim_end();
        if number == 0 {
            writeln!(out, "{HEADING}{line}{HEADING:#}")?;
        } else {
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(width: Option<u16>) -> String {
        let mut table = new(&["Name", "MTU"], &[1], width);
        let _ = table.add_row(["lo", "65536"]).add_row(["a-long-name-of-an-interface", "1500"]);
        let mut bytes = Vec::new();
        write(&mut bytes, &table).unwrap();
        anstream::adapter::strip_str(&String::from_utf8(bytes).unwrap()).to_string()
    }

    #[test]
    fn columns_are_two_blanks_apart_and_numbers_stand_right() {
        let expected = "\
Name                           MTU
lo                           65536
a-long-name-of-an-interface   1500
";
        assert_eq!(render(None), expected);
        assert_eq!(render(Some(80)), expected);
    }

    /// The lines of a table with this row on a terminal of this width.
    fn lines(row: [&str; 3], width: u16) -> Vec<String> {
        let mut table = new(&["Local", "State", "Offload"], &[], Some(width));
        let _ = table.add_row(row);
        let mut bytes = Vec::new();
        write(&mut bytes, &table).unwrap();
        let text = anstream::adapter::strip_str(&String::from_utf8(bytes).unwrap()).to_string();
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_narrow_terminal_folds_between_words() {
        let row = ["[fe80::1%eth0]:50000", "up", "TCP checksum, UDP checksum, large send"];
        let expected = [
            "Local                 State  Offload",
            "[fe80::1%eth0]:50000  up     TCP checksum,",
            "                             UDP checksum,",
            "                             large send",
        ];
        assert_eq!(lines(row, 45), expected);
    }

    #[test]
    fn a_terminal_too_narrow_for_words_gets_whole_lines() {
        let row = ["[fe80::1%eth0]:50000", "up", "TCP checksum"];
        assert_eq!(lines(row, 30).get(1).unwrap(), "[fe80::1%eth0]:50000  up     TCP checksum");
        assert_eq!(lines(row, 1).len(), 2);
    }
}
