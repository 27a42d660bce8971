//! What roles need, as they hold every combination of rights; and what row security has to say.

use std::collections::{BTreeMap, BTreeSet};

use super::rights::{Lacking, lacking};
use super::{rights, security, wider};
use crate::between::{Between, Command, Held, PUBLIC, Protection, Role, View};
use crate::database::catalogue::relation;
use crate::manifest::{MoveWay, Moved, OneOfTwo};

const COMMANDS: [Command; 4] = [
    Command::Select,
    Command::Insert,
    Command::Update,
    Command::Delete,
];
const WAYS: [MoveWay; 3] = [MoveWay::Split, MoveWay::Merge, MoveWay::Move];

fn moved(way: MoveWay) -> Moved {
    let pair = |main: &str, part: &str| (main.to_owned(), part.to_owned());
    Moved {
        main: "users".to_owned(),
        part: "shop.addresses".to_owned(),
        way,
        key: vec![pair("id", "user_id")],
        columns: vec![pair("street", "street"), pair("city", "town")],
    }
}

fn give(held: &mut Held, command: Command, columns: &BTreeSet<String>) {
    match command {
        Command::Insert => held.inserts = true,
        Command::Update => held.updates = true,
        Command::Delete => held.deletes = true,
        Command::Select => {}
    }
    let there = held.columns.entry(command).or_default();
    there.extend(columns.iter().cloned());
}

fn give_all(role: &mut Role, lacks: Lacking) {
    for ((which, command), columns) in lacks {
        let held = match which {
            OneOfTwo::Main => &mut role.main,
            OneOfTwo::Part => &mut role.part,
        };
        give(held, command, &columns);
    }
}

/// The whole table, for each command whose bit is set.
fn holding(moved: &Moved, which: OneOfTwo, bits: u32) -> Held {
    let mut held = Held {
        reaches: true,
        acts: true,
        ..Held::default()
    };
    let columns = [moved.key_of(which), moved.columns_of(which)].concat();
    let columns: BTreeSet<String> = columns.into_iter().map(str::to_owned).collect();
    for (bit, command) in COMMANDS.into_iter().enumerate() {
        if bits & (1 << bit) != 0 {
            give(&mut held, command, &columns);
        }
    }
    held
}

fn protected(enabled: bool, forced: bool) -> Protection {
    Protection {
        enabled,
        forced,
        alike: true,
        ..Protection::default()
    }
}

fn between(way: MoveWay, main: u32, part: u32) -> Between {
    let moved = moved(way);
    Between {
        roles: vec![Role {
            name: "app".to_owned(),
            main: holding(&moved, OneOfTwo::Main, main),
            part: holding(&moved, OneOfTwo::Part, part),
            ..Role::default()
        }],
        main: protected(false, false),
        part: protected(false, false),
        moved,
    }
}

/// What is proposed is all that is needed: the rights that it gives ask for no others.
#[test]
fn once_given_nothing_more_is_lacking() {
    for way in WAYS {
        for (main, part) in (0..256).map(|bits| (bits / 16, bits % 16)) {
            let mut between = between(way, main, part);
            let lacks = lacking(&between, &between.roles[0]);
            let gate = rights::held(std::slice::from_ref(&between));
            assert_eq!(gate.open, lacks.is_empty(), "{way:?} {main} {part}");
            give_all(&mut between.roles[0], lacks);
            let left = lacking(&between, &between.roles[0]);
            assert_eq!(left, BTreeMap::new(), "{way:?} {main} {part}");
        }
    }
}

#[test]
fn each_way_asks_for_what_its_triggers_do() {
    let writer = 0b0111;
    for (way, main, part, expected) in [
        (
            MoveWay::Split,
            writer,
            0,
            "GRANT SELECT (\"street\", \"town\", \"user_id\"), INSERT (\"street\", \"town\", \"user_id\"), UPDATE (\"street\", \"town\"), \
             DELETE ON \"shop\".\"addresses\" TO app;",
        ),
        (
            MoveWay::Move,
            writer,
            0,
            "GRANT SELECT (\"street\", \"town\", \"user_id\"), UPDATE (\"street\", \"town\") ON \"shop\".\"addresses\" TO app;",
        ),
        (
            MoveWay::Merge,
            0,
            0b1111,
            "GRANT SELECT (\"city\", \"id\", \"street\"), UPDATE (\"city\", \"street\") ON \"users\" TO app;",
        ),
        (
            MoveWay::Merge,
            0b1001,
            0,
            "GRANT SELECT (\"user_id\") ON \"shop\".\"addresses\" TO app;",
        ),
        (
            MoveWay::Move,
            0,
            0b0001,
            "GRANT SELECT (\"city\", \"id\", \"street\") ON \"users\" TO app;",
        ),
    ] {
        let gate = rights::held(&[between(way, main, part)]);
        let opens = gate.opens.unwrap_or_default();
        assert!(
            opens.lines().any(|line| line.trim() == expected),
            "{way:?}: {opens}"
        );
        assert_eq!(opens.matches("GRANT ").count(), 1, "{way:?}: {opens}");
    }
}

#[test]
fn a_schema_that_the_role_may_not_name_is_granted_as_well() {
    let mut between = between(MoveWay::Split, 0b0001, 0);
    between.roles[0].part.reaches = false;
    between.part.schema = "shop".to_owned();
    let opens = rights::held(std::slice::from_ref(&between)).opens;
    let usage = "GRANT USAGE ON SCHEMA shop TO app;";
    assert!(
        opens.as_ref().is_some_and(|opens| opens.contains(usage)),
        "{opens:?}"
    );
    // Who cannot name the table that it has rights on does nothing there.
    between.roles[0].main.acts = false;
    assert!(rights::held(std::slice::from_ref(&between)).open);
    // What everybody is to get is printed once.
    between.roles[0].main.acts = true;
    let app = between.roles[0].clone();
    let name = PUBLIC.to_owned();
    between.roles.insert(0, Role { name, ..app });
    let opens = rights::held(&[between]).opens.unwrap_or_default();
    assert_eq!(opens.matches("USAGE").count(), 1, "{opens}");
    assert!(
        opens.contains("GRANT USAGE ON SCHEMA shop TO PUBLIC;"),
        "{opens}"
    );
}

#[test]
fn where_part_stays_a_delete_of_mains_row_asks_for_nothing() {
    assert!(rights::held(&[between(MoveWay::Move, 0b1000, 0)]).open);
    assert!(!rights::held(&[between(MoveWay::Merge, 0b1000, 0)]).open);
}

#[test]
fn whom_no_policy_lets_do_anything_needs_nothing() {
    for (lets, open) in [
        (&COMMANDS[..0], true),
        (&COMMANDS[..1], false),
        (&COMMANDS[..], false),
    ] {
        let mut between = between(MoveWay::Split, 0b1111, 0);
        (between.main.enabled, between.part.enabled) = (true, true);
        let role = &mut between.roles[0];
        role.main.secured = Some(lets.iter().copied().collect());
        role.part.secured = Some(BTreeSet::new());
        let gates = [
            rights::held(std::slice::from_ref(&between)),
            security::same(&[between]),
        ];
        assert!(
            gates.iter().all(|gate| gate.open == open),
            "{lets:?} {gates:?}"
        );
    }
}

#[test]
fn who_is_asked_about_by_a_policy_may_find_the_row_that_it_asks_for() {
    let mut between = between(MoveWay::Split, 0, 0b0001);
    between.part.asks = true;
    assert!(rights::held(std::slice::from_ref(&between)).open);
    between.roles[0].part.secured = Some(COMMANDS.into());
    between.roles[0].main = holding(&between.moved, OneOfTwo::Main, 0);
    between.roles[0]
        .main
        .columns
        .insert(Command::Select, ["street".to_owned()].into());
    let opens = rights::held(&[between]).opens.unwrap_or_default();
    assert!(
        opens.contains("GRANT SELECT (\"id\") ON \"users\" TO app;"),
        "{opens}"
    );
}

#[test]
fn row_security_that_changes_on_one_side_shuts() {
    let mut between = between(MoveWay::Split, 0b1111, 0b1111);
    (between.main.enabled, between.part.enabled) = (true, true);
    let all = Some(BTreeSet::from(COMMANDS));
    between.roles[0].main.secured.clone_from(&all);
    between.part.owner = "app".to_owned();
    let gate = security::same(std::slice::from_ref(&between));
    assert!(
        gate.reason
            .contains("row security of users applies to app, and that of shop.addresses does not"),
        "{gate:?}"
    );
    between.roles[0].part.secured = all;
    assert!(security::same(std::slice::from_ref(&between)).open);
    between.main.hidden_from = vec!["ddl".to_owned()];
    assert!(!security::same(std::slice::from_ref(&between)).open);
    between.main.hidden_from.clear();
    between.part.follows = true;
    assert!(security::same(std::slice::from_ref(&between)).open);
    between.main.alike = false;
    let gate = security::same(&[between]);
    let opens = gate.opens.as_deref().unwrap_or_default();
    assert!(
        opens.contains("DROP POLICY \"row_of_users\"") && opens.contains("FOR SELECT USING"),
        "{gate:?}"
    );
}

#[test]
fn a_trigger_of_somebody_elses_may_write_what_a_statement_does_not_name() {
    let mut between = between(MoveWay::Split, 0, 0);
    between.roles[0].main.updates = true;
    assert!(rights::held(std::slice::from_ref(&between)).open);
    between.main.assigns = true;
    assert!(!rights::held(&[between]).open);
}

#[test]
fn rights_that_grow_are_named_in_both_directions() {
    for (way, main, part, words) in [
        (
            MoveWay::Split,
            0,
            0b0001,
            "app may read street, town in shop.addresses and could not in users",
        ),
        (
            MoveWay::Split,
            0b0001,
            0b0101,
            "app may write street, town in shop.addresses and could not in users",
        ),
        (
            MoveWay::Merge,
            0b0001,
            0,
            "app may read street, city in users and could not in shop.addresses",
        ),
    ] {
        let gate = wider::none(&[between(way, main, part)]);
        assert!(!gate.open && gate.reason.contains(words), "{gate:?}");
    }
    for way in WAYS {
        assert!(wider::none(&[between(way, 0b1111, 0b1111)]).open);
    }
}

#[test]
fn a_table_that_hides_rows_gives_its_columns_to_none_that_shows_them() {
    for (of_source, of_target, open) in [
        (protected(false, false), protected(false, false), true),
        (protected(false, false), protected(true, false), true),
        (protected(true, false), protected(false, false), false),
        (protected(true, false), protected(true, false), true),
        (protected(true, true), protected(true, false), false),
        (protected(true, true), protected(true, true), true),
    ] {
        for way in WAYS {
            let mut between = between(way, 0, 0);
            let (main, part) = match between.moved.source() {
                OneOfTwo::Main => (&of_source, &of_target),
                OneOfTwo::Part => (&of_target, &of_source),
            };
            (between.main, between.part) = (main.clone(), part.clone());
            let gate = security::same(&[between]);
            assert_eq!(gate.open, open, "{way:?} {gate:?}");
        }
    }
}

#[test]
fn whoever_writes_is_let_through_by_a_policy_for_each_command() {
    for way in WAYS {
        let mut between = between(way, 0b1111, 0b1111);
        between.main.enabled = true;
        between.part.enabled = true;
        for lets in [&COMMANDS[..], &COMMANDS[..2]] {
            let secured: BTreeSet<Command> = lets.iter().copied().collect();
            between.roles[0].part.secured = Some(secured);
            between.roles[0].main.secured = Some(COMMANDS.into());
            let gate = security::same(std::slice::from_ref(&between));
            assert_eq!(gate.open, lets.len() == 4, "{way:?} {gate:?}");
        }
    }
}

/// Rights that another lends are the same question, with the same answer.
#[test]
fn who_writes_through_a_view_needs_what_a_writer_needs() {
    for (way, table) in WAYS
        .into_iter()
        .flat_map(|way| [(way, OneOfTwo::Main), (way, OneOfTwo::Part)])
    {
        for bits in 0..16 {
            let mut between = between(way, 0, 0);
            let held = holding(&between.moved, table, bits & 0b1110);
            between.roles[0].views.push(View {
                name: "seen".to_owned(),
                owner: "keeper".to_owned(),
                table,
                held,
            });
            let lacks = lacking(&between, &between.roles[0]);
            let none = bits & 0b1110 == 0
                || way == MoveWay::Move && table == OneOfTwo::Main && bits & 0b0110 == 0;
            assert_eq!(lacks.is_empty(), none, "{way:?} {table:?} {bits}");
            let gate = rights::held(std::slice::from_ref(&between));
            assert_eq!(gate.open, none, "{gate:?}");
            let words = "through the view seen by the rights of keeper, and triggers write";
            assert!(none || gate.reason.contains(words), "{gate:?}");
            give_all(&mut between.roles[0], lacks);
            let left = lacking(&between, &between.roles[0]);
            assert_eq!(left, BTreeMap::new(), "{way:?} {table:?} {bits}");
        }
    }
}

#[test]
fn policies_let_who_writes_through_a_view_do_what_triggers_write_back() {
    let mut between = between(MoveWay::Split, 0, 0);
    let held = holding(&between.moved, OneOfTwo::Main, 0b0110);
    (between.main.enabled, between.part.enabled) = (true, true);
    let role = &mut between.roles[0];
    role.views.push(View {
        name: "seen".to_owned(),
        owner: "keeper".to_owned(),
        table: OneOfTwo::Main,
        held,
    });
    role.part.secured = Some(COMMANDS.into());
    role.main.secured = Some(COMMANDS.into());
    assert!(security::same(std::slice::from_ref(&between)).open);
    between.roles[0].main.secured = Some([Command::Select].into());
    let gate = security::same(&[between]);
    let words = "row security of users applies to app, and no policy lets it UPDATE there";
    assert!(gate.reason.contains(words), "{gate:?}");
}

#[test]
fn owners_are_asked_where_a_foreign_key_acts_for_them() {
    for (way, of_main, of_part) in [
        (MoveWay::Split, true, true),
        (MoveWay::Merge, true, false),
        (MoveWay::Move, false, false),
    ] {
        for (table, asked) in [(OneOfTwo::Main, of_main), (OneOfTwo::Part, of_part)] {
            let mut between = between(way, 0, 0);
            let lacks = match table {
                OneOfTwo::Main => "UPDATE",
                OneOfTwo::Part => "DELETE",
            };
            let protection = match table {
                OneOfTwo::Main => &mut between.main,
                OneOfTwo::Part => &mut between.part,
            };
            (protection.owner, protection.schema) = ("keeper".to_owned(), "shop".to_owned());
            protection.owner_lacks = vec![lacks.to_owned(), "USAGE".to_owned()];
            let opens = rights::held(std::slice::from_ref(&between)).opens;
            let opens = opens.unwrap_or_default();
            for words in [
                format!("GRANT {lacks} ON "),
                "GRANT USAGE ON SCHEMA shop TO keeper;".to_owned(),
            ] {
                assert_eq!(opens.contains(&words), asked, "{way:?} {table:?}: {opens}");
            }
        }
    }
}

#[test]
fn an_owner_in_whose_name_triggers_follow_is_asked_about_the_other_table() {
    for way in [MoveWay::Split, MoveWay::Merge, MoveWay::Move] {
        let mut between = between(way, 0, 0);
        assert!(rights::held(std::slice::from_ref(&between)).open);
        between.main.schema = "shop".to_owned();
        between.part.owner = "keeper".to_owned();
        between.part.owner_lacks_on_other = vec!["UPDATE".to_owned(), "USAGE".to_owned()];
        let main = relation(&between.moved.main);
        let gate = rights::held(&[between]);
        let opens = gate.opens.unwrap_or_default();
        for words in [
            format!("GRANT UPDATE ON {main} TO keeper;"),
            "GRANT USAGE ON SCHEMA shop TO keeper;".to_owned(),
        ] {
            assert!(opens.contains(&words), "{way:?}: {opens}");
        }
        assert!(!gate.open && gate.reason.contains("in the name of keeper"));
    }
}
