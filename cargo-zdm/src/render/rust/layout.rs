//! Lays out generated Rust as rustfmt does where nobody configured it, for the two kinds of file that come by the thousand.
//!
//! Comes in: the text of a [`Form`]. Goes out: what rustfmt makes of it, or `None` where a line is so wide that only rustfmt
//! knows. What the templates write is what rustfmt leaves, except where a width decides: that is all there is here.
//! Must not know: what the files mean.

use std::iter::Peekable;
use std::str::Lines;

/// What rustfmt calls `max_width`.
const LINE: usize = 100;
/// `chain_width` and `fn_call_width`.
const EXPRESSION: usize = 60;
/// `attr_fn_like_width`
const ATTRIBUTE: usize = 70;

/// What a file consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The repository of a table without a migration in transition.
    Repository,
    /// Structs and enums that are models.
    Models,
    /// Anything else: only rustfmt lays it out.
    Other,
}

/// What rustfmt would write, if that is sure.
pub(super) fn laid_out(form: Form, text: &str) -> Option<String> {
    // Of line ends, rustfmt decides too.
    if form == Form::Other || text.contains('\r') {
        return None;
    }
    let mut lines = text.lines().peekable();
    let mut out = Out(String::with_capacity(text.len() + 1));
    let mut blank = false;
    while let Some(line) = lines.next() {
        if line.is_empty() && blank {
            return None;
        }
        blank = line.is_empty();
        let code = line.trim_start();
        if blank || code.starts_with("//") {
            out.comment(line)?;
        } else if let Some(end) = opened(line) {
            out.raw(line, &end, &mut lines)?;
        } else if code.starts_with("macro_rules! ") {
            let end = format!("{}}}", indent(line));
            out.raw(line, &end, &mut lines)?;
        } else if code.starts_with("#[zdm(") {
            out.attribute(line)?;
        } else if form == Form::Models {
            let sorted = code.starts_with("mod ") || code.starts_with("use ") && code.contains('{');
            let empty = code.ends_with('{') && lines.peek() == Some(&"}");
            (!sorted && !empty).then_some(())?;
            out.line(line)?;
        } else if code.starts_with("use ") {
            out.imports(line, &mut lines)?;
        } else if is_function(code) {
            out.signature(line, &mut lines)?;
        } else if let Some(links) = links(&mut lines) {
            out.chain(line, &links)?;
        } else {
            out.statement(line)?;
        }
    }
    Some(out.0)
}

/// What begins with these has nothing that rustfmt would break before the line is full.
const FIXED: [&str; 11] = [
    "\"",
    "pages::<",
    "for ",
    "format!(",
    "if ",
    "impl ",
    "const ",
    "pub const ",
    "pub struct ",
    "#[",
    "}",
];

/// rustfmt counts the `?` at an end once more.
fn counted_twice(expression: &str) -> usize {
    usize::from(expression.ends_with('?'))
}

struct Out(String);

impl Out {
    /// A line that stands as it is, and is not too wide.
    fn line(&mut self, line: &str) -> Option<()> {
        // What is wider than one column, rustfmt knows.
        if line.len() > LINE || !line.is_ascii() {
            return None;
        }
        self.comment(line)
    }

    fn comment(&mut self, line: &str) -> Option<()> {
        if line.ends_with(char::is_whitespace) {
            return None;
        }
        self.0.push_str(line);
        self.0.push('\n');
        Some(())
    }

    /// A text over several lines stays as it is.
    fn raw(&mut self, line: &str, end: &str, lines: &mut Peekable<Lines<'_>>) -> Option<()> {
        self.line(line)?;
        loop {
            let line = lines.next()?;
            self.0.push_str(line);
            self.0.push('\n');
            if line == end {
                return Some(());
            }
        }
    }

    /// Lines that import, in their order.
    fn imports(&mut self, line: &str, lines: &mut Peekable<Lines<'_>>) -> Option<()> {
        let mut imports = vec![line];
        while let Some(next) = lines.next_if(|next| next.starts_with("use ")) {
            imports.push(next);
        }
        imports.sort_unstable();
        imports.into_iter().try_for_each(|line| self.line(line))
    }

    /// `#[zdm(…)]`: one list of words may be the whole of it, or the end of a line.
    fn attribute(&mut self, line: &str) -> Option<()> {
        let indent = indent(line);
        let words = line
            .trim_start()
            .strip_prefix("#[zdm(")?
            .strip_suffix(")]")?;
        // rustfmt leaves room for what ends the line once more.
        let narrow = |word: &&str| match word.split_once('(') {
            Some((name, list)) => name.contains('=') || list.len() <= ATTRIBUTE,
            None => true,
        };
        if words.len() <= ATTRIBUTE {
            return self.line(line);
        }
        let (open, words, close) = match split(words)?.as_slice() {
            [only] => {
                let (name, list) = only.split_once('(')?;
                let list = list.strip_suffix(')')?;
                if list.len() <= ATTRIBUTE {
                    return self.line(line);
                }
                (format!("#[zdm({name}("), list, "))]")
            }
            [.., last] if last.ends_with(')') => return None,
            _ => ("#[zdm(".to_owned(), words, ")]"),
        };
        let words = split(words)?;
        // A list that ends the lines would be opened in place.
        if words.last()?.ends_with(')') || !words.iter().all(narrow) {
            return None;
        }
        self.list(indent, &open, &words, "", close)
    }

    /// A function's head, on one line where it fits.
    fn signature(&mut self, line: &str, lines: &mut Peekable<Lines<'_>>) -> Option<()> {
        let indent = indent(line);
        let mut head = line.trim_start().to_owned();
        while !head.ends_with('{') {
            let next = lines.next()?.trim_start();
            if next.starts_with(')') {
                head = head.trim_end_matches([',', ' ']).to_owned();
            }
            head.push_str(next);
            if next.ends_with(',') {
                head.push(' ');
            }
        }
        let one_line = format!("{indent}{head}");
        if one_line.len() <= LINE {
            return self.line(&one_line);
        }
        let (before, rest) = head.split_once('(')?;
        let end = end_of_list(rest)?;
        let (parameters, after) = rest.split_at(end);
        self.list(
            indent,
            &format!("{before}("),
            &split(parameters)?,
            ",",
            after,
        )
    }

    /// Calls one behind the other, on one line where they fit.
    fn chain(&mut self, line: &str, links: &[&str]) -> Option<()> {
        let head = expression(line);
        let calls = links.concat();
        let (calls, end) = calls.split_at(calls.len() - 1);
        if head.len() + calls.len() + counted_twice(calls) <= EXPRESSION {
            return self.line(&format!("{line}{calls}{end}"));
        }
        // A closure is not broken before the line is full.
        let narrow = |link: &&str| link.len() <= EXPRESSION || link.starts_with(".map(|");
        if !links.iter().all(narrow) {
            return None;
        }
        let inner = format!("{}    ", indent(line));
        self.line(line)?;
        for link in links {
            self.line(&format!("{inner}{link}"))?;
        }
        Some(())
    }

    fn statement(&mut self, line: &str) -> Option<()> {
        let code = line.trim_start();
        let macro_call = code
            .strip_prefix("format!(")
            .and_then(|rest| rest.strip_suffix(')'));
        if let Some(argument) = macro_call.filter(|_| line.len() > LINE) {
            return self.list(indent(line), "format!(", &[argument], "", ")");
        }
        let expression = expression(line);
        // rustfmt leaves room for what ends the line once more.
        let narrow =
            expression.len() + counted_twice(expression) <= EXPRESSION && line.len() + 2 <= LINE;
        if !narrow && !FIXED.iter().any(|start| code.starts_with(start)) {
            return None;
        }
        self.line(line)
    }

    fn list(
        &mut self,
        indent: &str,
        open: &str,
        items: &[&str],
        last: &str,
        close: &str,
    ) -> Option<()> {
        self.line(&format!("{indent}{open}"))?;
        for (at, item) in items.iter().enumerate() {
            let comma = if at + 1 < items.len() { "," } else { last };
            self.line(&format!("{indent}    {item}{comma}"))?;
        }
        self.line(&format!("{indent}{close}"))
    }
}

fn indent(line: &str) -> &str {
    &line[..line.len() - line.trim_start().len()]
}

fn is_function(code: &str) -> bool {
    ["pub async fn ", "pub fn ", "async fn ", "fn "]
        .iter()
        .any(|start| code.starts_with(start))
}

/// The line that ends a raw string which a line opens.
fn opened(line: &str) -> Option<String> {
    let (_, string) = line.rsplit_once("= r")?;
    let hashes = string.strip_suffix('"')?;
    let open = hashes.bytes().all(|byte| byte == b'#');
    open.then(|| format!("\"{hashes};"))
}

/// The calls behind a line, each on its own.
fn links<'a>(lines: &mut Peekable<Lines<'a>>) -> Option<Vec<&'a str>> {
    let mut calls = Vec::new();
    while let Some(line) = lines.next_if(|line| line.trim_start().starts_with('.')) {
        calls.push(line.trim_start());
    }
    (!calls.is_empty()).then_some(calls)
}

/// What a line computes, without the name that it gets and without its end.
fn expression(line: &str) -> &str {
    let code = line.trim_start().trim_end_matches([',', ';']);
    let name = match code.strip_prefix("let ") {
        Some(_) => code.find(" = ").map(|at| at + " = ".len()),
        None => code.find(" => ").map(|at| at + " => ".len()),
    };
    let field = || code.find(": ").map(|at| at + ": ".len());
    let computed = &code[name.or_else(field).unwrap_or(0)..];
    let given = computed.strip_prefix("found.extend(");
    given.map_or(computed, |given| given.trim_end_matches(')'))
}

/// Where the list that a text begins in ends.
fn end_of_list(text: &str) -> Option<usize> {
    let mut depth = 0;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' if depth == 0 => return Some(at),
            b')' | b']' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// The items of a list, without the commas; commas in brackets and texts separate nothing.
fn split(list: &str) -> Option<Vec<&str>> {
    let (mut items, mut start, mut depth) = (Vec::new(), 0, 0);
    let mut bytes = list.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'(' | b'[' | b'<' => depth += 1,
            b')' | b']' | b'>' => depth -= 1,
            b'"' => {
                // A raw string's end is another one.
                if list[..at].ends_with(['r', '#']) {
                    return None;
                }
                while let Some((_, inner)) = bytes.next() {
                    match inner {
                        b'"' => break,
                        b'\\' => drop(bytes.next()),
                        _ => {}
                    }
                }
            }
            b',' if depth == 0 => {
                items.push(list[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    items.push(list[start..].trim());
    Some(items)
}

#[cfg(test)]
mod tests;
