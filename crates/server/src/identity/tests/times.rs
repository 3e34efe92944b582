//! The boundaries of a token's times (threat C3), with a clock that the test sets.

use super::{NOW, World, claims};
use crate::identity::Fault;

#[test]
fn a_token_ends_sixty_seconds_after_its_end_at_the_latest() {
    let world = World::new();
    for (end, expected) in [
        (-61, Some(Fault::Expired)),
        (-60, Some(Fault::Expired)),
        (-59, None),
        (0, None),
        (60, None),
        (61, None),
    ] {
        let token = world.of(&claims(&[("exp", &(NOW + end).to_string())]));
        assert_eq!(world.verify(&token).err(), expected, "exp {end:+}");
    }
}

#[test]
fn a_token_begins_sixty_seconds_before_its_beginning_at_the_earliest() {
    let world = World::new();
    for name in ["nbf", "iat", "auth_time"] {
        for (begin, expected) in [
            (-61, None),
            (-60, None),
            (0, None),
            (60, None),
            (61, Some(Fault::NotYet)),
        ] {
            let token = world.of(&claims(&[(name, &(NOW + begin).to_string())]));
            assert_eq!(world.verify(&token).err(), expected, "{name} {begin:+}");
        }
    }
}

#[test]
fn times_that_need_not_be_there_need_not_be_there() {
    let world = World::new();
    assert!(world.verify(&world.of(&claims(&[("nbf", ""), ("iat", "")]))).is_ok());
}
