//! Faces that this process has stored, kept until they are compared: the portrait of a document and
//! the reference image of a challenge. A face that is not here is downloaded.
//!
//! The key contains the name that `PocketBase` gave to the file, and no other file ever has that
//! name: the cache never mixes a face up with one that a restored `PocketBase` holds under the same
//! record. Each face is taken once.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::base::lock::Mutex;
use crate::checks::bounded_cache::{BoundedCache, Bounds};

/// Bytes of all faces together: some sixty portraits.
const BYTES_MAX: usize = 4 * 1024 * 1024;
/// Longest age of a face: longer than a challenge takes.
const AGE_MAX: Duration = Duration::from_secs(5 * 60);

/// Id of a `checks` record and name of its file.
type Key = (String, String);

/// Clones share the faces.
#[derive(Debug, Clone)]
pub(super) struct FaceCache {
    faces: Arc<Mutex<BoundedCache<Key, Bytes>>>,
}

impl Default for FaceCache {
    fn default() -> Self {
        let bounds = Bounds { bytes_max: BYTES_MAX, age_max: AGE_MAX, bytes_of: Bytes::len };
        Self { faces: Arc::new(Mutex::new(BoundedCache::new(bounds))) }
    }
}

impl FaceCache {
    /// Keeps the picture that was stored as `file` of the `checks` record `check`.
    pub(super) fn insert(&self, check: &str, file: &str, picture: Bytes) {
        self.faces.lock().update((check.to_owned(), file.to_owned()), |kept| *kept = picture);
    }

    /// Removes and returns the picture stored as `file` of the `checks` record `check`.
    pub(super) fn take(&self, check: &str, file: &str) -> Option<Bytes> {
        self.faces.lock().remove(&(check.to_owned(), file.to_owned()))
    }

    /// Drops what is too old.
    pub(super) fn expire(&self) {
        self.faces.lock().evict();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_face_is_found_once_by_record_and_file() {
        let faces = FaceCache::default();
        faces.insert("check", "a.jpg", Bytes::from_static(b"face"));
        assert_eq!((faces.take("check", "b.jpg"), faces.take("other", "a.jpg")), (None, None));
        assert_eq!(faces.take("check", "a.jpg").as_deref(), Some(b"face".as_slice()));
        assert_eq!(faces.take("check", "a.jpg"), None);
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_face_is_dropped_first_and_no_face_outlives_its_age_limit() {
        const LARGE: usize = 1024 * 1024;
        let faces = FaceCache::default();
        for number in 0..10 {
            faces.insert("check", &number.to_string(), Bytes::from(vec![0; LARGE]));
        }
        assert_eq!(faces.faces.lock().len(), BYTES_MAX / LARGE);
        assert!(faces.take("check", "0").is_none() && faces.take("check", "9").is_some());
        tokio::time::advance(AGE_MAX / 2).await;
        faces.insert("check", "late", Bytes::new());
        faces.expire();
        assert_eq!(faces.faces.lock().len(), BYTES_MAX / LARGE, "one was taken, one came");
        tokio::time::advance(AGE_MAX / 2).await;
        faces.expire();
        assert_eq!(faces.faces.lock().len(), 1);
    }
}
