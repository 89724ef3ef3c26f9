//! Tables for people: columns two blanks apart, no frame, as wide as the terminal.

use super::style::HEADING;
use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Width, presets};
use std::io::{self, Write};
use unicode_width::UnicodeWidthStr;

/// Blanks between two columns.
const GAP: u16 = 2;

/// A table for a terminal or a pipe.
#[derive(Debug)]
pub(crate) struct Table {
    headings: Vec<String>,
    /// The numbers of the columns that hold numbers.
    right: Vec<usize>,
    rows: Vec<Vec<String>>,
    width: Option<u16>,
}

/// A table with these headings; `right` are the numbers of the columns that hold numbers.
pub(crate) fn new(headings: &[&str], right: &[usize], width: Option<u16>) -> Table {
    let headings = headings.iter().map(|&heading| heading.to_owned()).collect();
    Table { headings, right: right.to_vec(), rows: Vec::new(), width }
}

impl Table {
    pub(crate) fn add_row<C: Into<String>>(&mut self, cells: impl IntoIterator<Item = C>) -> &mut Self {
        self.rows.push(cells.into_iter().map(Into::into).collect());
        self
    }

    /// The lines, the headings first.
    ///
    /// On a terminal cells are folded, between words only, since a piece of an address or of a name is of no use. Where
    /// whole words do not fit, each row is one line: those that are too long for the terminal, which wraps them, stand
    /// out of the columns, so that the others need not be as wide. In a pipe a row is always one line.
    fn lines(&self) -> Vec<String> {
        let all: Vec<_> = self.rows.iter().collect();
        let Some(width) = self.width else { return self.render(&all, None) };
        let words = |text: &String| text.split(' ').map(UnicodeWidthStr::width).max().unwrap_or(0);
        let least = self.widths(&all, words);
        if total(&least) <= usize::from(width) {
            return self.render(&all, Some((width, least)));
        }
        let fitting = self.fitting(usize::from(width));
        let aligned: Vec<_> =
            all.iter().zip(&fitting).filter(|(_, fits)| **fits).map(|(row, _)| *row).collect();
        let mut aligned = self.render(&aligned, None).into_iter();
        let mut lines: Vec<_> = aligned.next().into_iter().collect();
        for (row, fits) in all.iter().zip(fitting) {
            lines.extend(if fits { aligned.next() } else { Some(row.join("  ")) });
        }
        lines
    }

    /// The width of each column: of its heading and of its cells in `rows`, as `measure` has it.
    fn widths(&self, rows: &[&Vec<String>], measure: impl Fn(&String) -> usize) -> Vec<usize> {
        let mut widths: Vec<_> = self.headings.iter().map(&measure).collect();
        for row in rows {
            for (width, cell) in widths.iter_mut().zip(*row) {
                *width = measure(cell).max(*width);
            }
        }
        widths
    }

    /// Which rows have a place in columns that fit the terminal: all but those with the longest cells.
    fn fitting(&self, width: usize) -> Vec<bool> {
        let measured: Vec<Vec<usize>> =
            self.rows.iter().map(|row| row.iter().map(|cell| cell.width()).collect()).collect();
        let mut fitting = vec![true; measured.len()];
        loop {
            let mut widths: Vec<_> = self.headings.iter().map(|heading| heading.width()).collect();
            for (row, _) in measured.iter().zip(&fitting).filter(|(_, fits)| **fits) {
                for (width, cell) in widths.iter_mut().zip(row) {
                    *width = (*cell).max(*width);
                }
            }
            let Some((column, widest)) = widths.iter().copied().enumerate().max_by_key(|(_, width)| *width)
            else {
                return fitting;
            };
            let mut removed = false;
            if total(&widths) > width {
                for (row, fits) in measured.iter().zip(&mut fitting) {
                    if *fits && row.get(column) == Some(&widest) {
                        (*fits, removed) = (false, true);
                    }
                }
            }
            if !removed {
                return fitting;
            }
        }
    }

    /// These rows in columns; `fold` is the width that cells are folded for, and the least of each column.
    fn render(&self, rows: &[&Vec<String>], fold: Option<(u16, Vec<usize>)>) -> Vec<String> {
        let mut table = comfy_table::Table::new();
        let _ = table.load_style(presets::NOTHING).set_header(&self.headings);
        for row in rows {
            let _ = table.add_row(*row);
        }
        let arrangement = match &fold {
            Some((width, _)) => {
                let _ = table.set_width(*width);
                ContentArrangement::Dynamic
            }
            None => ContentArrangement::Disabled,
        };
        let _ = table.set_content_arrangement(arrangement);
        let last = self.headings.len().saturating_sub(1);
        for (number, column) in table.column_iter_mut().enumerate() {
            let gap = if number == last { 0 } else { GAP };
            let _ = column.set_padding((0, gap));
            if self.right.contains(&number) {
                column.set_cell_alignment(CellAlignment::Right);
            }
            if let Some(least) = fold.as_ref().and_then(|(_, least)| least.get(number)) {
                let least = u16::try_from(*least).unwrap_or(u16::MAX).saturating_add(gap);
                let _ = column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(least)));
            }
        }
        table.lines().map(|line| line.trim_end().to_owned()).collect()
    }
}

/// The width of columns with the blanks between them.
fn total(widths: &[usize]) -> usize {
    widths.iter().sum::<usize>() + widths.len().saturating_sub(1) * usize::from(GAP)
}

/// Writes the table, its headings in bold, without blanks at the ends of lines.
pub(crate) fn write(out: &mut impl Write, table: &Table) -> io::Result<()> {
    for (number, line) in table.lines().into_iter().enumerate() {
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
    fn rows_that_are_too_long_leave_the_columns_to_the_others() {
        let mut table = new(&["Local", "PID", "Process"], &[1], Some(30));
        let long = "[2001:db8:1:2:3:4:5:6]:50000";
        let _ = table.add_row(["127.0.0.1:80", "7", "web server"]);
        let _ = table.add_row([long, "8", "web server"]).add_row(["[::1]:80", "12345", "x"]);
        let expected = [
            "Local           PID  Process",
            "127.0.0.1:80      7  web server",
            "[2001:db8:1:2:3:4:5:6]:50000  8  web server",
            "[::1]:80      12345  x",
        ];
        table.width = Some(31);
        assert_eq!(table.lines(), expected);
        table.width = Some(1);
        assert_eq!(table.lines().len(), 4);
    }
}
