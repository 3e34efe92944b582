//! `break_glass`: the disk for records that the ledger does not take.

use std::path::PathBuf;

use ordain_core::policy::fields::Reader;
use ordain_core::policy::node::Node;

/// Where records go under a break-glass that the policy authorises.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakGlass {
    /// A folder, best on another disk than the store. A relative path is below the gateway's folder.
    pub spool: PathBuf,
    /// Most bytes of it.
    pub most: u64,
}

/// In MiB: some 30,000 records.
const USUAL_MIB: u32 = 64;

pub(super) fn read(node: &Node, reader: &mut Reader) -> Option<BreakGlass> {
    let mut fields = reader.fields(node, "`break_glass`")?;
    let spool = fields.required_with("spool", reader, Reader::text);
    let most = fields
        .node("max_mib")
        .map_or(Some(USUAL_MIB), |node| reader.number(node).map(|number| number.value));
    fields.finish(reader);
    Some(BreakGlass {
        spool: spool?.value.into(),
        most: u64::from(most?.max(1)) << 20,
    })
}
