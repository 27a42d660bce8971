//! What differs between two texts, line by line.
//!
//! Comes in: two texts. Goes out: hunks as `diff -u` shows them.
//! Must not know: what the texts are.

use std::fmt::Write as _;

/// So many lines that both have are shown around what differs.
const AROUND: usize = 3;

/// A line with its sign: of both, of the first alone, of the second alone.
type Line<'a> = (char, &'a str);

/// Empty where they are the same.
pub(crate) fn of(first: &str, second: &str) -> String {
    let (first, second): (Vec<_>, Vec<_>) = (first.lines().collect(), second.lines().collect());
    let all = merged(&first, &second);
    let differs: Vec<usize> = (0..all.len()).filter(|at| all[*at].0 != ' ').collect();
    let mut text = String::new();
    for together in differs.chunk_by(|left, right| right - left <= 2 * AROUND + 1) {
        let (Some(start), Some(end)) = (together.first(), together.last()) else {
            continue;
        };
        let start = start.saturating_sub(AROUND);
        let end = (end + AROUND + 1).min(all.len());
        let counted = |part: &[Line<'_>], sign| {
            let of_side = part
                .iter()
                .filter(|(found, _)| *found == ' ' || *found == sign);
            of_side.count()
        };
        let (before, hunk) = (&all[..start], &all[start..end]);
        let _ = writeln!(
            text,
            "@@ -{},{} +{},{} @@",
            counted(before, '-') + 1,
            counted(hunk, '-'),
            counted(before, '+') + 1,
            counted(hunk, '+')
        );
        for (sign, line) in hunk {
            let _ = writeln!(text, "{}", format!("{sign}{line}").trim_end());
        }
    }
    text
}

/// The lines of both in one order, as many as possible of them shared.
fn merged<'a>(first: &[&'a str], second: &[&'a str]) -> Vec<Line<'a>> {
    // shared[i][j]: how many lines the rest of the first from i and of the second from j can share.
    let mut shared = vec![vec![0_u32; second.len() + 1]; first.len() + 1];
    for i in (0..first.len()).rev() {
        for j in (0..second.len()).rev() {
            shared[i][j] = if first[i] == second[j] {
                shared[i + 1][j + 1] + 1
            } else {
                shared[i + 1][j].max(shared[i][j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut all = Vec::new();
    while i < first.len() || j < second.len() {
        if i < first.len() && j < second.len() && first[i] == second[j] {
            all.push((' ', first[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == second.len() || i < first.len() && shared[i + 1][j] >= shared[i][j + 1] {
            all.push(('-', first[i]));
            i += 1;
        } else {
            all.push(('+', second[j]));
            j += 1;
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn the_same_differs_in_nothing() {
        assert_eq!(of("a\nb\n", "a\nb\n"), "");
        assert_eq!(of("", ""), "");
    }

    #[test]
    fn what_differs_stands_between_what_both_have() {
        let first = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n";
        let second = first.replace("5\n", "five\n").replace("14\n", "");
        assert_eq!(
            of(first, &second),
            "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n@@ -11,4 +11,3 @@\n 11\n 12\n 13\n-14\n"
        );
        assert_eq!(of("", "a\n"), "@@ -1,0 +1,1 @@\n+a\n");
    }
}
