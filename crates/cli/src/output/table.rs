//! Tables for people: columns two blanks apart, no frame, as wide as the terminal.

use super::style::HEADING;
use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Width, presets};
use std::collections::BTreeSet;
use std::io::{self, Write};
use unicode_width::UnicodeWidthStr;

/// Blanks between two columns.
const GAP: u16 = 2;
/// The width that a text is given at least, if it is as long, before it goes on at the left.
const LEAST: usize = 24;
/// Blanks before what goes on at the left.
const INDENT: usize = 4;

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
    /// whole words do not fit, a cell that is too long for its column pushes the next ones to the right, and those that
    /// reach the edge go on below, in their columns. In a pipe a row is always one line.
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
        let rows = std::iter::once(&self.headings).chain(&self.rows);
        rows.flat_map(|row| self.broken(row, &columns, usize::from(width))).collect()
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

    /// A row, each cell in its column or as near to it as those before it let it; on a further line, in its column again,
    /// where it would reach over the terminal's edge. Only a word that is wider than the terminal does. A text that has
    /// hardly any room in its column goes on at the left.
    fn broken(&self, row: &[String], columns: &[usize], width: usize) -> Vec<String> {
        let (mut lines, mut line, mut position, mut start) = (Vec::new(), String::new(), 0, 0);
        for (number, (cell, column)) in row.iter().zip(columns).enumerate() {
            let inside = if self.right.contains(&number) { column.saturating_sub(cell.width()) } else { 0 };
            let place = start + inside;
            start += column + usize::from(GAP);
            if cell.is_empty() {
                continue;
            }
            let gap = if position == 0 { 0 } else { usize::from(GAP) };
            let fits = place.max(position + gap) + cell.width() <= width;
            let words: Vec<&str> = if fits { vec![cell] } else { cell.split(' ').collect() };
            let longest = words.iter().map(|word| word.width()).max().unwrap_or(0);
            let room = width.saturating_sub(place);
            let is_tight = words.len() > 1 && room < longest.max(cell.width().min(LEAST));
            let below = if is_tight { place.min(INDENT) } else { place };
            let mut place = place;
            for (nth, word) in words.into_iter().enumerate() {
                // Words of one cell are one blank apart, unless one begins a line.
                let gap = if nth > 0 && position > place { 1 } else { gap.min(position) };
                let mut at = place.max(position + gap);
                if at + word.width() > width && position > 0 {
                    lines.push(std::mem::take(&mut line));
                    place = below;
                    at = place.min(width.saturating_sub(word.width()));
                    position = 0;
                }
                line.extend(std::iter::repeat_n(' ', at - position));
                line.push_str(word);
                position = at + word.width();
            }
        }
        lines.push(line);
        for line in &mut lines {
            line.truncate(line.trim_end().len());
        }
        lines
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
    fn what_is_too_long_for_a_column_pushes_the_rest_and_goes_on_below() {
        let mut table = new(&["Local", "PID", "Process", "Interface"], &[1], Some(44));
        let long = "[2001:db8:1:2:3:4:5:6]:50000";
        let _ = table.add_row(["127.0.0.1:80", "7", "web server", ""]);
        let _ = table.add_row([long, "8", "web server", "eth0"]).add_row(["[::1]:80", "12345", "x", "eth0"]);
        let expected = [
            "Local           PID  Process     Interface",
            "127.0.0.1:80      7  web server",
            "[2001:db8:1:2:3:4:5:6]:50000  8  web server",
            "                                 eth0",
            "[::1]:80      12345  x           eth0",
        ];
        assert_eq!(table.lines(), expected);
        for width in 0..50 {
            table.width = Some(width);
            let lines = table.lines();
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            let all: Vec<_> = std::iter::once(&table.headings).chain(&table.rows).flatten().collect();
            let all: Vec<_> = all.iter().flat_map(|cell| words(cell)).collect();
            assert_eq!(words(&lines.join(" ")), all, "{width}: whole words, in order");
            let is_one_word = |line: &str| line.split_whitespace().count() <= 1;
            let wide = lines.iter().find(|line| line.width() > usize::from(width) && !is_one_word(line));
            assert_eq!(wide, None, "{width}");
        }
    }

    #[test]
    fn a_text_without_room_goes_on_at_the_left() {
        let mut table = new(&["Chapter", "What", "Can be done"], &[], Some(44));
        let _ = table.add_row(["port_reservation", "create", "yes; by /var/lib/iphelper/reservations of it"]);
        let _ = table.add_row(["tcp", "list", ""]);
        let expected = [
            "Chapter           What    Can be done",
            "port_reservation  create  yes; by",
            "    /var/lib/iphelper/reservations of it",
            "tcp               list",
        ];
        assert_eq!(table.lines(), expected);
    }

    #[test]
    fn a_list_in_a_cell_goes_on_below() {
        let mut table = new(&["Name", "Addresses", "Routers"], &[], Some(34));
        let _ = table.add_row(["eth0", "192.0.2.10/24 2001:db8:1:2:3:4:5:6/64", "192.0.2.1"]);
        let expected = [
            "Name  Addresses  Routers",
            "eth0  192.0.2.10/24",
            "      2001:db8:1:2:3:4:5:6/64",
            "                 192.0.2.1",
        ];
        assert_eq!(table.lines(), expected);
    }

    #[test]
    fn the_last_column_may_be_as_long_as_it_likes() {
        let mut table = new(&["Property", "Kernel object"], &[], Some(30));
        let _ = table.add_row(["nl_mtu", "net.ipv6.conf.eth0.mtu_of_this_interface"]);
        let _ = table.add_row(["metric", "none"]);
        let expected = [
            "Property  Kernel object",
            "nl_mtu",
            "net.ipv6.conf.eth0.mtu_of_this_interface",
            "metric    none",
        ];
        assert_eq!(table.lines(), expected);
    }
}
