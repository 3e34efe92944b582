//! Pages of the documentation that are written from tables of the program, and held to them by tests.

use std::fs;
use std::path::Path;

/// Holds a page to what the tables say. With `UPDATE` in the environment it is written anew: `UPDATE=1 cargo test -p ordain-core --lib page`.
#[expect(
    clippy::disallowed_methods,
    reason = "the page is a file, and a test says when it is written"
)]
pub(crate) fn hold(name: &str, page: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs/reference")
        .join(name);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, page).expect("written");
    }
    let published = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        published == page,
        "{} is not what the tables say; `UPDATE=1 cargo test -p ordain-core --lib page` writes it anew",
        path.display()
    );
}
