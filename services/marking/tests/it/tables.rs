//! The service's tables in a schema of one test, and its stock.

use marking::store::Store;

/// Tables of one test.
pub(crate) struct Tables(runtime::testing::Tables);

impl Tables {
    pub(crate) async fn new() -> Self {
        Self(runtime::testing::Tables::make("marking", marking::MIGRATOR.iter(), 6).await)
    }

    pub(crate) fn store(&self) -> Store {
        Store::new(self.pool().clone())
    }
}

impl std::ops::Deref for Tables {
    type Target = runtime::testing::Tables;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}
