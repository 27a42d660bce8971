//! The statements of the backfill of columns that move between two tables: by ranges of main's key.
//!
//! Must not know: what decides that columns move.

use std::collections::BTreeMap;

use serde::Serialize;
use zdm_model::Column;
use zdm_runtime::manifest::Backfill;
use zdm_runtime::phase::BACKFILL_FOLDER;

use super::backfill::{self, Files, View, parameters};
use super::{Identity, checksums, header};
use crate::dialect::{Dialect, DialectError};
use crate::plan::{Ends, Move, Plan};

/// What the templates see. Texts with a prefix in their name stand where both tables are read.
#[derive(Serialize)]
struct MoveView {
    #[serde(flatten)]
    of_main: View,
    main: String,
    part: String,
    main_columns: Vec<String>,
    part_columns: Vec<String>,
    part_key: Vec<String>,
    /// What moves, there and here.
    pairs: Vec<(String, String)>,
    moved_columns: Vec<String>,
    /// The first column that moves, there and here.
    first: String,
    first_of_part: String,
    /// Main's row has one in part: bare, of the locked rows, behind main's name.
    present: String,
    present_source: String,
    /// Over both tables: the two rows hold what they should.
    agree: String,
    joined: String,
    joined_source: String,
    same_source: String,
    same_excluded: String,
    range_of_main: String,
    range_of_part: String,
    texts_of_main: Vec<String>,
    join: String,
    consistent: String,
    consistent_with_lookup: String,
    /// Main's values go to part on the way back, which rows need only where something else than the triggers has been at them.
    comes_back: bool,
    columns: Vec<MovedColumn>,
}

#[derive(Serialize)]
struct MovedColumn {
    name: String,
    consistent: String,
}

pub(super) fn render(
    plan: &Plan,
    dialect: &Dialect,
    identity: &Identity,
    moved: &Move,
) -> Result<Files, DialectError> {
    let view = view(dialect, moved);
    let mut texts = BTreeMap::new();
    let mut write = |name: &str, about: &str, template: &str| {
        let path = format!("{BACKFILL_FOLDER}/{name}.sql");
        let sql = dialect.render(&format!("backfill/{template}"), &view)?;
        let header = header(plan, identity, about);
        texts.insert(path.clone(), format!("{header}\n{}\n", sql.trim_end()));
        Ok::<_, DialectError>(path)
    };
    let (main, part, k) = (&moved.main, &moved.part, moved.key.len());
    let range = format!("{} to {}", parameters(1, k), parameters(k + 1, k));
    let to_part = ("move", format!("get what {part} lacks of them"));
    let to_main = ("move_back", format!("get what they lack of {part}"));
    let over = (
        "move_over",
        format!("give {part} what its rows lack of them"),
    );
    let ((forth, batch), (back, reverse)) = match moved.to {
        Ends::Part => (to_part, to_main),
        Ends::Main if moved.part_stays => (to_main, over),
        Ends::Main => (to_main, to_part),
    };
    let mut backfill = Backfill {
        table: main.clone(),
        key: moved
            .main_key()
            .iter()
            .map(|key| key.name.clone())
            .collect(),
        columns: view
            .columns
            .iter()
            .map(|column| column.name.clone())
            .collect(),
        bounds: write(
            "bounds",
            "Backfill: the least and the greatest key.",
            "bounds",
        )?,
        boundary: write(
            "boundary",
            &format!(
                "Backfill: where a batch ends. Keys {range}, both included; at most ${} rows.",
                2 * k + 1
            ),
            "boundary",
        )?,
        count: write(
            "count",
            &format!("Backfill: how many rows there are from {range}, both included."),
            "count",
        )?,
        batch: write(
            "batch",
            &format!("Backfill: rows of {main} from {range}, both included, {batch}."),
            forth,
        )?,
        reverse: Some(write(
            "reverse",
            &format!("Backfill on the way back: rows of {main} from {range} {reverse}."),
            back,
        )?),
        verify: write(
            "verify",
            &format!(
                "Verification: rows of {main} from {range}, and how many of them do not agree with {part}."
            ),
            "move_verify",
        )?,
        mismatches: write(
            "mismatches",
            &format!("Verification: which columns of which rows from {range} do not agree."),
            "move_mismatches",
        )?,
        checksums: None,
        invalid: None,
        computed: None,
        address: None,
        on_invalid: "total".to_owned(),
        optional: Vec::new(),
    };
    let checksums = checksums::of_move(dialect, moved);
    let path = checksums.write(plan, dialect, identity, BACKFILL_FOLDER, &mut texts)?;
    backfill.checksums = Some(path);
    Ok(Files { backfill, texts })
}

fn view(dialect: &Dialect, moved: &Move) -> MoveView {
    let (main, part) = moved.prefixes(dialect);
    let (main_key, part_key): (Vec<Column>, Vec<Column>) = moved.key.iter().cloned().unzip();
    let (old, new): (Vec<_>, Vec<_>) = moved.columns.iter().cloned().unzip();
    let names = |columns: &[&[Column]]| -> Vec<String> {
        let columns = columns.iter().copied().flatten();
        columns.map(|column| column.name.clone()).collect()
    };
    let first = |columns: &[Column]| columns.first().map(|column| column.name.clone());
    MoveView {
        of_main: backfill::view(dialect, &moved.main, &main_key, &[]),
        main_columns: names(&[&main_key, &old]),
        part_columns: names(&[&part_key, &new]),
        part_key: names(&[&part_key]),
        pairs: moved
            .columns
            .iter()
            .map(|(main, part)| (main.name.clone(), part.name.clone()))
            .collect(),
        moved_columns: names(&[&new]),
        first: first(&old).unwrap_or_default(),
        first_of_part: first(&new).unwrap_or_default(),
        present: moved.present(dialect, ""),
        present_source: moved.present(dialect, "zdm_source."),
        agree: moved.agreeing(dialect),
        joined: moved.joined(dialect, &main, &part),
        joined_source: moved.joined(dialect, "zdm_source.", &part),
        same_source: moved.same(dialect, "zdm_source.", &part),
        same_excluded: moved.same_as_inserted(dialect),
        range_of_main: backfill::range(dialect, &main_key, &main),
        range_of_part: backfill::range(dialect, &part_key, &part),
        texts_of_main: backfill::texts(dialect, &main_key, &main),
        join: moved.join(dialect),
        consistent: moved.consistent(dialect),
        consistent_with_lookup: moved.consistent_with_lookup(dialect),
        comes_back: moved.to == Ends::Main,
        columns: moved
            .columns
            .iter()
            .map(|pair| MovedColumn {
                name: format!("{}.{}", moved.keeper(), moved.kept(pair).name),
                consistent: moved.column_is_consistent(dialect, pair),
            })
            .collect(),
        main: moved.main.clone(),
        part: moved.part.clone(),
    }
}
