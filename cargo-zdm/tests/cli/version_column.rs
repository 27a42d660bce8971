//! A column that counts the writes of a row: it is a matter of the code alone, and stays out of migrations that would have two of it.

use crate::generate::user_crate;
use crate::project::Project;

const PLAIN: &str = "use zdm_runtime::Migratable;

#[derive(Migratable, Debug, Clone)]
pub struct Page {
    #[zdm(primary_key)]
    pub id: i64,
    pub title: String,
    pub street: Option<String>,
    #[zdm(default = \"0\")]
    pub version: i32,
}
";

fn counted() -> String {
    PLAIN.replace("default = \"0\"", "default = \"0\", version")
}

#[test]
fn counting_needs_no_migration() {
    let project = Project::sqlite("");
    user_crate(&project);
    project.write("src/models.rs", PLAIN);
    project.done(&["init"]);
    let versions = || std::fs::read_to_string(project.path("zdm/zdm.sum")).unwrap();
    let code = || std::fs::read_to_string(project.path("src/zdm/pages.rs")).unwrap();
    let before = versions();
    assert!(!code().contains("Overtaken"));

    project.write("src/models.rs", &counted());
    let stale = project.zdm(&["check"]);
    assert_eq!(stale.code, 1, "{stale:#?}");
    project.done(&["generate"]);
    project.done(&["check"]);
    assert_eq!(versions(), before);
    assert!(code().contains("Overtaken"));
}

#[test]
fn what_has_two_sides_is_not_counted() {
    let project = Project::sqlite("");
    user_crate(&project);
    project.write("src/models.rs", &counted());
    project.done(&["init"]);
    let split = counted().replace("    pub street: Option<String>,\n", "")
        + "
#[derive(Migratable, Debug, Clone)]
#[zdm(table = \"places\", split_from = \"pages(id)\")]
pub struct Place {
    #[zdm(primary_key, references = \"pages(id)\", on_delete = \"cascade\")]
    pub page_id: i64,
    pub street: String,
}
";
    project.write("src/models.rs", &split);
    let refused = project.zdm(&["generate", "split"]);
    assert_eq!(refused.code, 1, "{refused:#?}");
    refused.says("models.rs:4: `version` of `Page` counts the writes of a row");
    refused.says("take `version` off the field, in a release before this one");
    assert!(!project.path("zdm/0002_split").exists());

    project.write("src/models.rs", &split.replace(", version", ""));
    project.done(&["generate", "split"]);
}
