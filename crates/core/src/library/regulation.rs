//! Laws and rules that an organisation may be bound by, as far as they change what is assembled.
//!
//! A row of data for each; what a law asks in full is for those who read the law. Read [`Regulation`] first.

/// A law, regulation or binding standard.
#[derive(Debug, Clone, Copy)]
pub struct Regulation {
    /// Its id in answers.
    pub id: &'static str,
    /// What people call it.
    pub name: &'static str,
    /// What it asks of those who use AI, in a sentence.
    pub duty: &'static str,
    /// Whether it brings the overlay `regulated` with it.
    pub regulated: bool,
    /// Records are kept at least so many days for it.
    pub record_days: Option<u32>,
    /// Serious incidents are first reported within so many hours for it.
    pub report_hours: Option<u32>,
}

const fn row(id: &'static str, name: &'static str, duty: &'static str) -> Regulation {
    Regulation {
        id,
        name,
        duty,
        regulated: false,
        record_days: None,
        report_hours: None,
    }
}

/// Those that are known, alphabetically.
pub const REGULATIONS: &[Regulation] = &[
    row(
        "ccpa",
        "the CCPA",
        "tell people what is collected and let them refuse its sale and certain automated decisions",
    ),
    Regulation {
        regulated: true,
        ..row(
            "dora",
            "DORA",
            "keep a register of ICT suppliers, test resilience and report major incidents",
        )
    },
    Regulation {
        // Article 26(6): logs of a high-risk system for at least six months.
        record_days: Some(183),
        ..row(
            "eu-ai-act",
            "the EU AI Act",
            "avoid forbidden practices, train people, label what AI made, oversee high-risk uses and keep their logs",
        )
    },
    row(
        "gdpr",
        "the GDPR",
        "have a ground and an agreement for personal data, assess high risks, answer people's requests",
    ),
    Regulation {
        regulated: true,
        // 45 CFR 164.316(b)(2)(i): six years of documentation.
        record_days: Some(2190),
        ..row(
            "hipaa",
            "HIPAA",
            "sign agreements with all who see health information, limit it to what is needed, keep documentation for six years",
        )
    },
    Regulation {
        // Article 23(4)(a): an early warning within 24 hours.
        report_hours: Some(24),
        ..row(
            "nis2",
            "NIS2",
            "manage risks including those of suppliers, have management answer for it, warn of serious incidents within 24 hours and report within 72",
        )
    },
    row(
        "pci-dss",
        "PCI DSS",
        "keep card data out of systems that do not need it and mask it where it is shown",
    ),
    row(
        "uk-gdpr",
        "the UK GDPR",
        "have a ground and an agreement for personal data, assess high risks, answer people's requests",
    ),
];

/// The regulation with an id.
#[must_use]
pub fn regulation(id: &str) -> Option<&'static Regulation> {
    REGULATIONS.iter().find(|row| row.id == id)
}

#[cfg(test)]
mod tests {
    #[test]
    fn ids_are_sorted() {
        assert!(super::REGULATIONS.is_sorted_by(|one, two| one.id < two.id));
    }
}
