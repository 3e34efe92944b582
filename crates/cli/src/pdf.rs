pub(crate) fn write(_page: &ordain_core::render::block::Page) -> anyhow::Result<Vec<u8>> { anyhow::bail!("not yet") }
