//! The kinds of sensitive things that a policy may name, and the families they belong to.
//!
//! The table is closed: a policy that names something else has made a spelling mistake, and gets told so. An entity that
//! nothing finds yet may be named, because a policy is about the organisation and not about the product; what is said
//! about it is reported as not covered. Ids are kebab-case, stable and never reused.

/// One kind of sensitive thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entity {
    /// Kebab-case, stable, never reused.
    pub id: &'static str,
    /// The family that a policy can name instead, one of [`FAMILIES`].
    pub family: Option<&'static str>,
    /// What a person calls it, in the singular.
    pub label: &'static str,
    /// Whether a detector in the product finds it today.
    pub detected: bool,
}

/// The families of entities, alphabetically.
pub const FAMILIES: &[&str] = &["contact", "financial", "government-id", "health", "secret"];

/// Every known entity, alphabetically.
pub const ENTITIES: &[Entity] = &[
    found("ai-provider-key", Some("secret"), "API key of an AI provider"),
    found("api-key", Some("secret"), "key of an online service"),
    found("aws-key", Some("secret"), "AWS access key"),
    found("ci-token", Some("secret"), "token of a build or analysis service"),
    found("cloud-key", Some("secret"), "key of a cloud provider"),
    found("crypto-wallet", Some("financial"), "address of a cryptocurrency wallet"),
    known("customer-record", None, "customer record"),
    found("database-token", Some("secret"), "token of a database service"),
    found("database-url", Some("secret"), "database address with credentials"),
    found("date-of-birth", None, "date of birth"),
    found("email-address", Some("contact"), "email address"),
    found("github-token", Some("secret"), "GitHub token"),
    known("health-record", Some("health"), "health record"),
    found("iban", Some("financial"), "international bank account number"),
    found("imei", None, "device number of a mobile phone"),
    found("ip-address", None, "IP address"),
    found("json-web-token", Some("secret"), "JSON web token"),
    known("legal-privilege", None, "legally privileged text"),
    found("mac-address", None, "hardware address of a network interface"),
    known("medical-term", Some("health"), "medical term"),
    found(
        "messaging-token",
        Some("secret"),
        "token of a messaging or mail service",
    ),
    found("national-id", Some("government-id"), "national identity number"),
    found("passport-number", Some("government-id"), "passport number"),
    found("password", Some("secret"), "password"),
    found("payment-card", Some("financial"), "payment card number"),
    found("payment-key", Some("secret"), "key of a payment service"),
    known("person-name", None, "name of a person"),
    found("phone-number", Some("contact"), "phone number"),
    known("postal-address", Some("contact"), "postal address"),
    found("private-key", Some("secret"), "private key"),
    found("registry-token", Some("secret"), "token of a package registry"),
    known("salary", Some("financial"), "salary"),
    known("source-code", None, "source code"),
    found(
        "source-control-token",
        Some("secret"),
        "token of a source control service",
    ),
    found("url-credentials", Some("secret"), "password in an address"),
    found("us-ssn", Some("government-id"), "US social security number"),
    found("vin", None, "vehicle identification number"),
];

/// The entity with an id.
#[must_use]
pub fn entity(id: &str) -> Option<&'static Entity> {
    ENTITIES.iter().find(|entity| entity.id == id)
}

const fn found(id: &'static str, family: Option<&'static str>, label: &'static str) -> Entity {
    Entity {
        id,
        family,
        label,
        detected: true,
    }
}

const fn known(id: &'static str, family: Option<&'static str>, label: &'static str) -> Entity {
    Entity {
        id,
        family,
        label,
        detected: false,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::all;
    use super::{ENTITIES, FAMILIES, entity};

    #[test]
    fn ids_are_sorted_unique_and_apart_from_families() {
        assert!(ENTITIES.is_sorted_by(|one, two| one.id < two.id));
        assert!(FAMILIES.is_sorted_by(|one, two| one < two));
        assert!(FAMILIES.iter().all(|family| entity(family).is_none()));
        assert!(
            ENTITIES
                .iter()
                .all(|entity| entity.family.is_none_or(|family| FAMILIES.contains(&family)))
        );
    }

    #[test]
    fn what_is_called_detected_is_what_the_detectors_find() {
        let claimed: BTreeSet<String> = ENTITIES
            .iter()
            .filter(|entity| entity.detected)
            .map(|entity| entity.id.to_owned())
            .collect();
        let found: BTreeSet<String> = all()
            .iter()
            .flat_map(|detector| detector.entities())
            .map(|entity| entity.to_string())
            .collect();
        assert_eq!(claimed, found);
    }
}
