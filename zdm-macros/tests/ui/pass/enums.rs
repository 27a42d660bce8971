//! An enum, optional and in an array; its name and its values count in the fingerprint.

use zdm_runtime::{ColumnType, Enumeration, Generated, Migratable, MigratableEnum};

#[derive(MigratableEnum, Debug, PartialEq)]
#[zdm(name = "mood")]
enum Feeling {
    Happy,
    #[zdm(rename = "so-so")]
    SoSo,
}

mod placed {
    #[derive(zdm_runtime::MigratableEnum)]
    #[zdm(schema = "Billing", name = "mood")]
    pub enum Feeling {
        Happy,
    }
}

mod other {
    #[derive(zdm_runtime::MigratableEnum)]
    pub enum Mood {
        Happy,
    }
}

// What values were before is no part of what they are.
mod spent {
    #[derive(zdm_runtime::MigratableEnum)]
    #[zdm(name = "mood")]
    pub enum Feeling {
        #[zdm(from("glad", "ecstatic"))]
        Happy,
        #[zdm(rename = "so-so", renamed_from = "fair")]
        SoSo,
    }
}

#[derive(Migratable)]
#[allow(dead_code)]
struct Day {
    #[zdm(primary_key)]
    id: i64,
    mood: Option<Feeling>,
    moods: Vec<Feeling>,
}

impl Generated for Day {
    const FINGERPRINT: u64 = <Day as Migratable>::FINGERPRINT;
}

fn main() {
    assert_eq!(Feeling::NAME, "mood");
    assert_eq!(placed::Feeling::NAME, "Billing.mood");
    assert_eq!(placed::Feeling::SQL_NAME, "\"Billing\".\"mood\"");
    assert_ne!(Feeling::LOGICAL, placed::Feeling::LOGICAL);
    assert_eq!(Feeling::VALUES, ["happy", "so-so"]);
    assert_eq!(Feeling::LOGICAL, spent::Feeling::LOGICAL);
    assert_eq!(Feeling::of_value("so-so"), Some(Feeling::SoSo));
    assert_eq!(Feeling::of_value("so_so"), None);
    assert_eq!(Feeling::Happy.value(), "happy");
    assert_ne!(Feeling::LOGICAL, other::Mood::LOGICAL);
    assert_ne!(Feeling::LOGICAL, <Vec<Feeling> as ColumnType>::LOGICAL);
    assert_eq!(Feeling::LOGICAL, <Option<Feeling> as ColumnType>::LOGICAL);
}
