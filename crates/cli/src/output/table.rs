//! Tables for people: columns two blanks apart, no frame, as wide as the terminal.

use super::style::HEADING;
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use std::io::{self, Write};

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
        let _ = column.set_padding((0, if number == last { 0 } else { 2 }));
        if right.contains(&number) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// Writes the table, its headings in bold, without blanks at the ends of lines.
pub(crate) fn write(out: &mut impl Write, table: &Table) -> io::Result<()> {
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

    #[test]
    fn a_narrow_terminal_folds_cells() {
        let text = render(Some(20));
        assert!(text.lines().all(|line| line.len() <= 20), "{text}");
        assert!(text.lines().count() > 3, "{text}");
    }
}
