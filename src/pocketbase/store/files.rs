//! Downloads of protected files. Never of thumbnails: to make one of a hostile picture costs the
//! server a gigabyte of memory.

use std::time::Instant;

use bytes::Bytes;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;

use crate::base::failpoints::{Point, reached};
use crate::pocketbase::caches::FileToken;
use crate::pocketbase::client::Client;
use crate::pocketbase::error::{PocketbaseError, Result};
use crate::pocketbase::record_id::record_id;
use crate::pocketbase::records::Collection;
use crate::pocketbase::request::Request;

impl Client {
    /// The file `name` of a record, at most `limit` bytes. `None` if it does not exist or is empty.
    /// No file is stored empty, so a storage that returns an empty one has lost the file or does
    /// not have it yet.
    pub async fn download(
        &self,
        collection: Collection,
        record: &str,
        name: &str,
        limit: usize,
    ) -> Result<Option<Bytes>> {
        const OPERATION: &str = "download a file";
        if name.is_empty() {
            return Ok(None);
        }
        let record = record_id(record, OPERATION)?;
        let file = utf8_percent_encode(name, NON_ALPHANUMERIC);
        let mut request = Request::get(OPERATION, format!("/api/files/{}/{record}/{file}", collection.name()));
        request.limit = limit;
        // An expired token gets a 404, too, so a 404 counts only for a fresh one.
        for fresh in [false, true] {
            let token = self.file_token(fresh).await?;
            match self.transport().send(&request.clone().with("token", token.expose_secret()), None).await {
                Ok(answer) => return Ok(Some(answer.body).filter(|body| !body.is_empty())),
                Err(PocketbaseError::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    async fn file_token(&self, fresh: bool) -> Result<SecretString> {
        #[derive(Deserialize)]
        struct Granted {
            token: SecretString,
        }
        let mut cached = self.caches().file_token.lock().await;
        if let Some(token) = cached.as_ref().filter(|token| !fresh && token.may_be_used(Instant::now())) {
            return Ok(token.secret.clone());
        }
        let asked = Instant::now();
        let request = Request::post("get a file token", "/api/files/token".to_owned(), json!({}));
        let Granted { token } = self.call(&request).await?.json()?;
        reached(Point::FileTokenGranted);
        *cached = Some(FileToken::new(token.clone(), asked));
        Ok(token)
    }
}
