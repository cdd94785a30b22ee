//! Downloading protected files. Never a thumbnail: making one of a hostile picture costs the server a gigabyte.

use std::time::{Duration, Instant};

use bytes::Bytes;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;

use crate::base::failpoints::{Point, reached};
use crate::pocketbase::client::Client;
use crate::pocketbase::error::{PocketbaseError, Result};
use crate::pocketbase::filter::record_id;
use crate::pocketbase::records::Collection;
use crate::pocketbase::request::Call;

/// A file token lives 180 s; a download that begins with it must not outlive it.
const TOKEN_USED_FOR: Duration = Duration::from_mins(2);

/// A token that protected files are asked for with.
#[derive(Debug, Clone)]
pub(in crate::pocketbase) struct FileToken {
    secret: SecretString,
    use_until: Instant,
}

impl Client {
    /// The file `name` of a record, at most `limit` bytes. `None` when it is not there, or empty: no file is stored empty, so a storage that
    /// says so has lost it, or does not have it yet.
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
        let mut call = Call::get(OPERATION, format!("/api/files/{}/{record}/{file}", collection.name()));
        call.limit = limit;
        // 404 is also what a token gets that is not accepted any more, so it is believed only of a new one.
        for fresh in [false, true] {
            let token = self.file_token(fresh).await?;
            match self.send(&call.clone().with("token", token.expose_secret()), None).await {
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
        let mut cached = self.inner.file_token.lock().await;
        if let Some(token) = cached.as_ref().filter(|token| !fresh && Instant::now() < token.use_until) {
            return Ok(token.secret.clone());
        }
        let asked = Instant::now();
        let call = Call::ask("ask for a file token", "/api/files/token".to_owned(), json!({}));
        let Granted { token } = self.call(&call).await?.json()?;
        reached(Point::FileTokenGranted);
        *cached = Some(FileToken { secret: token.clone(), use_until: asked + TOKEN_USED_FOR });
        Ok(token)
    }
}
