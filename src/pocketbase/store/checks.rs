//! Reading the findings of a verification.

use crate::pocketbase::client::Client;
use crate::pocketbase::error::Result;
use crate::pocketbase::records::{CheckDetail, Collection, OLDEST_FIRST_THEN_ID, of_verification};
use crate::pocketbase::request::{PAGE_LIMIT, Request};

impl Client {
    /// The checks of a verification with their details, oldest first.
    pub async fn check_details(&self, verification: &str) -> Result<Vec<CheckDetail>> {
        let request = Request::get("read checks", Collection::Checks.records())
            .filter(of_verification(verification)?)
            .sort(OLDEST_FIRST_THEN_ID)
            .first_page(PAGE_LIMIT);
        self.list(&request).await
    }
}
