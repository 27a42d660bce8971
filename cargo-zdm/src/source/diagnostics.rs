//! Mistakes in the user's source, shown as the compiler shows them.
//!
//! Comes in: an error with its span, the file's text. Goes out: [`Diagnostic`]s, and their rendering.
//! Must not know: what was read.

use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use camino::Utf8PathBuf;
use proc_macro2::{LineColumn, Span};
use serde::Serialize;

/// A mistake at a place in the user's source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// What is wrong, and the way on.
    pub message: String,
    /// The file, relative to the workspace's root.
    pub file: Utf8PathBuf,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    #[serde(skip)]
    text: Arc<str>,
    #[serde(skip)]
    span: (LineColumn, LineColumn),
}

impl Diagnostic {
    /// Looked for when it is shown: files are long, and most places are never shown.
    fn range(&self) -> Range<usize> {
        let start = offset(&self.text, self.span.0);
        start..offset(&self.text, self.span.1).max(start)
    }

    /// The same place with another message.
    pub(super) fn saying(&self, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            ..self.clone()
        }
    }
}

/// A source file: its name as shown and its text.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// Relative to the workspace's root.
    pub(super) shown: Utf8PathBuf,
    pub(super) text: Arc<str>,
}

impl Source {
    /// A mistake at a span of this file. Spans can be asked only on the thread that parsed.
    pub(super) fn at(&self, span: Span, message: impl Into<String>) -> Diagnostic {
        let (start, end) = (span.start(), span.end());
        Diagnostic {
            message: message.into(),
            file: self.shown.clone(),
            line: start.line,
            column: start.column + 1,
            text: self.text.clone(),
            span: (start, end),
        }
    }

    /// `src/models.rs:12`
    pub(super) fn location(&self, span: Span) -> String {
        format!("{}:{}", self.shown, span.start().line)
    }
}

/// All mistakes, one after the other, with their lines.
pub fn render(diagnostics: &[Diagnostic], colours: bool) -> String {
    let renderer = if colours {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let shown: Vec<String> = diagnostics
        .iter()
        .map(|diagnostic| {
            let snippet = Snippet::source(diagnostic.text.as_ref())
                .path(diagnostic.file.as_str())
                .annotation(AnnotationKind::Primary.span(diagnostic.range()));
            let title = Level::ERROR.primary_title(diagnostic.message.as_str());
            renderer.render(&[title.element(snippet)])
        })
        .collect();
    shown.join("\n\n")
}

fn offset(text: &str, place: LineColumn) -> usize {
    let mut start = 0;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        if index + 1 == place.line {
            let column = line.char_indices().nth(place.column);
            return start + column.map_or(line.len(), |(at, _)| at);
        }
        start += line.len();
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_shown_with_file_line_and_caret() {
        let text = "#[derive(Migratable)]\nstruct Ü { id: i64 }\n";
        let source = Source {
            shown: "src/models.rs".into(),
            text: text.into(),
        };
        let file: syn::File = syn::parse_str(text).expect("a file");
        let syn::Item::Struct(item) = &file.items[0] else {
            panic!("no struct");
        };
        let diagnostic = source.at(item.ident.span(), "a table needs a primary key");
        assert_eq!((diagnostic.line, diagnostic.column), (2, 8));
        let shown = render(&[diagnostic], false);
        assert!(shown.contains("--> src/models.rs:2:8"), "{shown}");
        assert!(
            shown.contains("2 | struct Ü { id: i64 }\n  |        ^"),
            "{shown}"
        );
    }
}
