//! What the derive accepts, and what it says to each mistake.

#[test]
fn ui() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass/*.rs");
    cases.compile_fail("tests/ui/attribute/*.rs");
    cases.compile_fail("tests/ui/column/*.rs");
    cases.compile_fail("tests/ui/constraint/*.rs");
    cases.compile_fail("tests/ui/drift/*.rs");
    cases.compile_fail("tests/ui/enumeration/*.rs");
    cases.compile_fail("tests/ui/key/*.rs");
    cases.compile_fail("tests/ui/newtype/*.rs");
    cases.compile_fail("tests/ui/shape/*.rs");
    cases.compile_fail("tests/ui/transition/*.rs");
    cases.compile_fail("tests/ui/type/*.rs");
}
