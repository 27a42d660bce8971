//! The generated code of the demo's application, at the path that its own `use` lines name.

pub(crate) mod app;
