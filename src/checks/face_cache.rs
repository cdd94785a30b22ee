//! FaceCache that this process has stored itself, kept until they are compared: the portrait of a document, the reference image of a
//! challenge. What is not here is fetched.
//!
//! A face is known by the name that `PocketBase` gave to its file, which no other file has: what a restored or a replaced
//! `PocketBase` holds under the same record is another face. Bounded by bytes and by age; each is handed out once.

use std::collections::VecDeque;
use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use crate::base::lock::Mutex;

/// Bytes that all of them together may take: some sixty portraits.
const BYTES_MAX: usize = 4 * 1024 * 1024;
/// Longer than a challenge takes.
const AGE_MAX: Duration = Duration::from_secs(5 * 60);

/// All of them. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct FaceCache {
    /// The oldest first.
    kept: Arc<Mutex<VecDeque<Kept>>>,
}

#[derive(Debug)]
struct Kept {
    since: Instant,
    check: String,
    file: String,
    picture: Bytes,
}

impl FaceCache {
    /// Keeps the picture that was stored as `file` of the `checks` record `check`.
    pub fn keep(&self, check: &str, file: &str, picture: Bytes) {
        let since = Instant::now();
        let mut kept = self.kept();
        kept.push_back(Kept { since, check: check.to_owned(), file: file.to_owned(), picture });
        make_room(&mut kept, since);
    }

    /// Drops what is too old. To be called now and then: a service that has nothing to do must not keep faces.
    pub fn drop_old(&self) {
        make_room(&mut self.kept(), Instant::now());
    }

    /// The picture stored as `file` of the `checks` record `check`, if it is here; from now on it is not.
    pub fn take(&self, check: &str, file: &str) -> Option<Bytes> {
        let mut kept = self.kept();
        let place = kept.iter().position(|one| one.check == check && one.file == file)?;
        kept.remove(place).map(|one| one.picture)
    }

    // No code that can panic runs while the lock is held.
    fn kept(&self) -> MutexGuard<'_, VecDeque<Kept>> {
        self.kept.lock()
    }
}

/// Drops what is too old, and the oldest while there is too much.
fn make_room(kept: &mut VecDeque<Kept>, now: Instant) {
    let mut bytes: usize = kept.iter().map(|one| one.picture.len()).sum();
    while let Some(oldest) = kept.front()
        && (bytes > BYTES_MAX || now.saturating_duration_since(oldest.since) >= AGE_MAX)
    {
        bytes -= oldest.picture.len();
        kept.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_face_is_found_once_by_record_and_file() {
        let faces = FaceCache::default();
        faces.keep("check", "a.jpg", Bytes::from_static(b"face"));
        assert_eq!((faces.take("check", "b.jpg"), faces.take("other", "a.jpg")), (None, None));
        assert_eq!(faces.take("check", "a.jpg").as_deref(), Some(b"face".as_slice()));
        assert_eq!(faces.take("check", "a.jpg"), None);
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_makes_room_and_nothing_stays_for_ever() {
        const LARGE: usize = 1024 * 1024;
        let faces = FaceCache::default();
        for number in 0..10 {
            faces.keep("check", &number.to_string(), Bytes::from(vec![0; LARGE]));
        }
        assert_eq!(faces.kept().len(), BYTES_MAX / LARGE);
        assert!(faces.take("check", "0").is_none() && faces.take("check", "9").is_some());
        tokio::time::advance(AGE_MAX / 2).await;
        faces.keep("check", "late", Bytes::new());
        faces.drop_old();
        assert_eq!(faces.kept().len(), BYTES_MAX / LARGE, "one was taken, one came");
        tokio::time::advance(AGE_MAX / 2).await;
        faces.drop_old();
        assert_eq!(faces.kept().len(), 1);
    }
}
