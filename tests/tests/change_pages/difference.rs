//! What the structs of a case's second version say otherwise than those of the first.

use std::fs;

use zdm_tests::cases::Case;

/// The lines that differ, each between the line before and the one behind.
pub(crate) fn difference(case: &Case) -> String {
    let read = |version| fs::read_to_string(case.folder.join(version)).unwrap();
    let (old, new) = (read("v1.rs"), read("v2.rs"));
    let lines = marked(
        &old.lines().collect::<Vec<_>>(),
        &new.lines().collect::<Vec<_>>(),
    );
    let differs = |at: usize| lines.get(at).is_some_and(|(mark, _)| *mark != ' ');
    let is_shown = |at: usize| differs(at) || differs(at + 1) || at > 0 && differs(at - 1);
    let mut text = String::new();
    let mut last = None;
    for at in (0..lines.len()).filter(|at| is_shown(*at)) {
        if last.is_some_and(|last| last + 1 < at) {
            text += " …\n";
        }
        let (mark, line) = lines[at];
        text += format!("{mark}{line}").trim_end();
        text.push('\n');
        last = Some(at);
    }
    text
}

/// All lines of both, each with the mark of what becomes of it, by the longest common subsequence.
fn marked<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<(char, &'a str)> {
    let mut common = vec![vec![0; new.len() + 1]; old.len() + 1];
    for (i, before) in old.iter().enumerate().rev() {
        for (j, after) in new.iter().enumerate().rev() {
            common[i][j] = if before == after {
                common[i + 1][j + 1] + 1
            } else {
                common[i + 1][j].max(common[i][j + 1])
            };
        }
    }
    let (mut i, mut j, mut lines) = (0, 0, Vec::new());
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            lines.push((' ', old[i]));
            (i, j) = (i + 1, j + 1);
        } else if i < old.len() && (j == new.len() || common[i + 1][j] >= common[i][j + 1]) {
            lines.push(('-', old[i]));
            i += 1;
        } else {
            lines.push(('+', new[j]));
            j += 1;
        }
    }
    lines
}
