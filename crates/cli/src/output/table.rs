//! Tables for people: columns two blanks apart, no frame, as wide as the terminal.

use super::style::HEADING;
use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Width, presets};
use std::collections::BTreeSet;
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
    /// whole words do not fit, each row is one line: a cell that is too long for its column pushes the next ones to the
    /// right, and the terminal wraps the line. In a pipe a row is always one line.
    fn lines(&self) -> Vec<String> {
        let Some(width) = self.width else { return self.render(None) };
        let mut least: Vec<_> = self.headings.iter().map(|heading| heading.width()).collect();
        for row in &self.rows {
            for (least, cell) in least.iter_mut().zip(row) {
                *least = cell.split(' ').map(UnicodeWidthStr::width).fold(*least, usize::max);
            }
        }
        if total(&least) <= usize::from(width) {
            return self.render(Some((width, least)));
        }
        let columns = self.narrow_columns(usize::from(width));
        std::iter::once(&self.headings).chain(&self.rows).map(|row| self.line(row, &columns)).collect()
    }

    /// Widths of columns that fit the terminal, each as wide as one of its cells: the longest cells of the widest columns
    /// are given up first. Cells of the last column have nothing to push, and count for no more than their heading.
    fn narrow_columns(&self, width: usize) -> Vec<usize> {
        let last = self.headings.len().saturating_sub(1);
        let mut candidates: Vec<BTreeSet<usize>> = Vec::new();
        for (number, heading) in self.headings.iter().enumerate() {
            let least = heading.width();
            let cells = self.rows.iter().filter(|_| number != last).filter_map(|row| row.get(number));
            let wider = cells.map(|cell| cell.width()).filter(|width| *width > least);
            candidates.push(wider.chain([least]).collect());
        }
        loop {
            let widths: Vec<_> =
                candidates.iter().map(|widths| widths.last().copied().unwrap_or(0)).collect();
            let widest = candidates
                .iter_mut()
                .filter(|widths| widths.len() > 1)
                .max_by_key(|widths| widths.last().copied());
            match widest {
                Some(widest) if total(&widths) > width => {
                    let _ = widest.pop_last();
                }
                _ => return widths,
            }
        }
    }

    /// A row as one line, each cell in its column or as near to it as those before it let it.
    fn line(&self, row: &[String], columns: &[usize]) -> String {
        let (mut line, mut position, mut start) = (String::new(), 0, 0);
        for (number, (cell, column)) in row.iter().zip(columns).enumerate() {
            let inside = if self.right.contains(&number) { column.saturating_sub(cell.width()) } else { 0 };
            let gap = if number == 0 { 0 } else { usize::from(GAP) };
            let blanks = (start + inside).saturating_sub(position).max(gap);
            line.extend(std::iter::repeat_n(' ', blanks));
            line.push_str(cell);
            position += blanks + cell.width();
            start += column + usize::from(GAP);
        }
        line.truncate(line.trim_end().len());
        line
    }

    /// All rows in columns; `fold` is the width that cells are folded for, and the least of each column.
    fn render(&self, fold: Option<(u16, Vec<usize>)>) -> Vec<String> {
        let mut table = comfy_table::Table::new();
        let _ = table.load_style(presets::NOTHING).set_header(&self.headings).add_rows(&self.rows);
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
    fn what_is_too_long_for_a_column_pushes_the_rest() {
        let mut table = new(&["Local", "PID", "Process", "Interface"], &[1], Some(44));
        let long = "[2001:db8:1:2:3:4:5:6]:50000";
        let _ = table.add_row(["127.0.0.1:80", "7", "web server", ""]);
        let _ = table.add_row([long, "8", "web server", "eth0"]).add_row(["[::1]:80", "12345", "x", "eth0"]);
        let expected = [
            "Local           PID  Process     Interface",
            "127.0.0.1:80      7  web server",
            "[2001:db8:1:2:3:4:5:6]:50000  8  web server  eth0",
            "[::1]:80      12345  x           eth0",
        ];
        assert_eq!(table.lines(), expected);
        table.width = Some(1);
        assert_eq!(table.lines().len(), 4);
    }

    #[test]
    fn the_last_column_may_be_as_long_as_it_likes() {
        let mut table = new(&["Property", "Kernel object"], &[], Some(30));
        let _ = table.add_row(["nl_mtu", "net.ipv6.conf.eth0.mtu_of_this_interface"]);
        let _ = table.add_row(["metric", "none"]);
        let expected = [
            "Property  Kernel object",
            "nl_mtu    net.ipv6.conf.eth0.mtu_of_this_interface",
            "metric    none",
        ];
        assert_eq!(table.lines(), expected);
    }
}
