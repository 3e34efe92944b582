//! What the tests of all wires ask of what was read.

use super::{EventReading, Flow};
use crate::exchange::{Fixed, Half, Opaque, Part};

/// The part at a pointer: the value there, not its name.
pub(super) fn part<'h>(half: &'h Half, pointer: &str) -> &'h Part {
    half.parts
        .iter()
        .find(|part| part.pointer == pointer && part.fixed != Some(Fixed::Key))
        .expect("is a part")
}

/// What nobody can read, by its pointer.
pub(super) fn uninspectable(half: &Half) -> Vec<(&str, Opaque)> {
    half.uninspectable
        .iter()
        .map(|found| (found.pointer.as_str(), found.what))
        .collect()
}

/// The texts that flow, with their channels.
pub(super) fn flows(reading: &EventReading) -> Vec<(&str, &str)> {
    let flowing = reading.fragments.iter().filter(|fragment| fragment.flow != Flow::Still);
    flowing
        .map(|fragment| (fragment.channel.as_str(), fragment.text.as_str()))
        .collect()
}
