//! The catalogue: AI apps that Ordain knows by id, with what they are for and how to reach them.
//!
//! A row of data for each app; a policy names apps by these ids. Read [`App`] first.

mod apps;

use apps::APPS;

/// A known AI app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct App {
    /// Kebab-case, stable, never reused.
    pub id: &'static str,
    /// The name that people know.
    pub name: &'static str,
    /// Who runs it.
    pub vendor: &'static str,
    /// What it is for.
    pub categories: &'static [&'static str],
}

/// The apps that a program knows.
#[derive(Debug, Clone, Copy)]
pub struct Catalog {
    apps: &'static [App],
}

impl Catalog {
    /// The catalogue that comes with the program.
    #[must_use]
    pub const fn built_in() -> Self {
        Self { apps: APPS }
    }

    /// The app with an id.
    #[must_use]
    pub fn app(&self, id: &str) -> Option<&'static App> {
        self.apps.iter().find(|app| app.id == id)
    }

    /// Every app.
    pub fn apps(&self) -> impl Iterator<Item = &'static App> {
        self.apps.iter()
    }

    /// The categories of an app; none for an app that is not known.
    #[must_use]
    pub fn categories(&self, id: &str) -> Vec<String> {
        self.app(id)
            .map(|app| app.categories.iter().map(|&category| category.to_owned()).collect())
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_kebab_case_and_stand_once() {
        for (index, app) in APPS.iter().enumerate() {
            assert!(
                app.id
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'),
                "{}",
                app.id
            );
            assert!(
                !APPS.iter().skip(index + 1).any(|other| other.id == app.id),
                "{} twice",
                app.id
            );
            assert!(!app.categories.is_empty(), "{}", app.id);
        }
    }
}
