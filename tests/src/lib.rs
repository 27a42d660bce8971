//! Golden, live and chaos cases.
