//! The words of the grammar, and what to say about one that is not among them.
//!
//! Comes in: a word that a reader does not know. Goes out: an error that names the way on.
//! Must not know: what the words take.

use syn::Ident;

/// Words on a field.
pub(super) const COLUMN: [&str; 28] = [
    "primary_key",
    "auto",
    "column",
    "renamed_from",
    "moved_from",
    "sql_type",
    "final_name",
    "from",
    "up",
    "with",
    "down",
    "one_way",
    "valid_if",
    "on_invalid",
    "up_loses",
    "down_loses",
    "unique",
    "index",
    "references",
    "on_delete",
    "on_update",
    "default",
    "generated",
    "virtual",
    "collation",
    "comment",
    "skip",
    "version",
];

/// Words on a struct.
pub(super) const TABLE: [&str; 16] = [
    "table",
    "schema",
    "renamed_from",
    "drops",
    "split_from",
    "merged_from",
    "index",
    "unique",
    "check",
    "exclude",
    "primary_key",
    "no_primary_key",
    "row_key",
    "foreign_key",
    "comment",
    "transparent",
];

/// The error for a word that a place does not know.
pub(super) fn unknown(
    word: &Ident,
    here: &[&str],
    elsewhere: Option<(&[&str], &str)>,
) -> syn::Error {
    let name = word.to_string();
    let message =
        if let Some((_, place)) = elsewhere.filter(|(words, _)| words.contains(&name.as_str())) {
            format!("`{name}` belongs on {place}")
        } else if let Some(meant) = closest(&name, here) {
            format!("unknown attribute `{name}`; did you mean `{meant}`?")
        } else {
            format!(
                "unknown attribute `{name}`; known here: {}",
                here.join(", ")
            )
        };
    syn::Error::new(word.span(), message)
}

/// The known word that was most likely meant: at most a third of its letters differ.
pub(super) fn closest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|candidate| (distance(word, candidate), *candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len().div_ceil(3))
        .min()
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's distance.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, l) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, r) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(l != *r);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_word_finds_its_neighbour() {
        assert_eq!(closest("primry_key", &COLUMN), Some("primary_key"));
        assert_eq!(closest("uniqe", &COLUMN), Some("unique"));
        assert_eq!(closest("elephant", &COLUMN), None);
    }

    #[test]
    fn distance_counts_edits() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
    }
}
