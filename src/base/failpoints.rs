//! What a test build can be told to do wrong, so that the suite can prove what follows from it.
//!
//! A *crash point* stands at each await that separates an effect from its record: the process dies there when it is armed
//! (`CRASH_AT`), and the suite walks all of them. A *planted bug* (`PLANT`) takes one of the promises' foundations away, and
//! the oracle must notice. Without the feature `crash-points` both are functions without a body, and no name of theirs is in
//! the binary.

/// Declares the points: one name for the code, one for people, and what has happened there.
macro_rules! points {
    ($($point:ident $name:literal $meaning:literal),* $(,)?) => {
        /// An await between an effect and its record.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Point {
            $(#[doc = $meaning] $point,)*
        }

        #[cfg(feature = "crash-points")]
        impl Point {
            /// Every point, in the order of a life.
            pub const ALL: &[Point] = &[$(Point::$point),*];

            /// Its stable name.
            pub const fn name(self) -> &'static str {
                match self { $(Point::$point => $name,)* }
            }

            /// What has happened when it is reached, and what has not.
            pub const fn meaning(self) -> &'static str {
                match self { $(Point::$point => $meaning,)* }
            }
        }
    };
}

points! {
    BootLoggedIn "boot.logged_in" "logged in; nothing of PocketBase was looked at",
    BootTested "boot.tested" "the schema check passed; nothing is watched",
    LoginAnswered "login.answered" "a login by password was granted; its token is not kept yet",
    LoginProved "login.proved" "PocketBase said whether it knows our token; nothing follows from it yet",
    LoginRenewed "login.renewed" "a token was renewed at half its life; the new one is not kept yet",
    LoginLost "login.lost" "a login turned out to be lost; no new one was asked for",
    WatchConnected "watch.connected" "subscribed; nothing was listed",
    WatchLost "watch.lost" "a stream was given up; no new one was opened",
    SweepPage "watch.sweep_page" "a page of open verifications was listed; none of it is in the queue",
    SweepDone "watch.sweep_done" "everything open was listed and queued",
    BeatDue "watch.beat_due" "a heartbeat is due; it was not written",
    BeatWritten "watch.beat_written" "a heartbeat was written; it has not come back",
    EventHeard "watch.event_heard" "an event came; its verification is not in the queue",
    QueueTaken "worker.taken" "an id left the queue; nothing was read",
    QueuePutBack "worker.put_back" "a pass is done; its timer is not in the queue",
    CaseRead "reconcile.read" "a case was read; nothing was concluded",
    OutboxRead "reconcile.outbox_read" "the endpoints of a decision were read; nothing is written",
    CommitDue "commit.due" "a batch is made; it was not sent",
    CommitUnknown "commit.unknown" "no answer came to a batch; it was not read back",
    CommitReadBack "commit.read_back" "a batch without an answer was read back; nothing follows from it yet",
    CommitAnswered "commit.answered" "a batch is stored; its answer was not looked at",
    RaceLost "reconcile.race_lost" "somebody else wrote first; nothing was read again",
    Claimed "reconcile.claimed" "work is claimed; it has not begun",
    Decided "reconcile.decided" "a decision and its notifications are stored; nothing else was done",
    Examined "reconcile.examined" "work is done and paid for; its result is not stored",
    ResultStored "reconcile.result_stored" "a result is stored; what it made due was not looked at",
    ResultLate "reconcile.result_late" "a result came too late and was dropped",
    StoreFailed "reconcile.store_failed" "a result could not be stored; it was not tried again",
    SessionDue "examine.session_due" "a challenge is claimed; the provider was not asked",
    SessionOpened "examine.session_opened" "the provider opened a challenge; nothing is stored",
    ResultAnswered "examine.result_answered" "the provider gave a liveness result; it was not judged",
    ResultNotYet "examine.result_not_yet" "the provider has no liveness result yet; it was not asked again",
    DeviceAnswered "examine.device_answered" "the provider told of a device; it was not judged",
    FileTokenGranted "files.token_granted" "a token for protected files was granted; it is not kept yet",
    PicturesFetched "examine.pictures_fetched" "a document's pictures were fetched; none was decoded",
    Decoding "examine.decoding" "a picture is in the decoder's hands",
    FacesDetected "examine.faces_detected" "faces were detected; the reading may still be under way",
    DocumentRead "examine.document_read" "the model has read a side; the faces may still be looked for",
    PortraitCut "examine.portrait_cut" "the portrait was cut out; the finding is not made",
    FacesFetched "examine.faces_fetched" "both faces were fetched; they were not compared",
    FacesCompared "examine.faces_compared" "the provider compared the faces; it was not judged",
    PersonEnsured "http.person_ensured" "a partner's person exists; their verification does not",
    VerificationCreated "http.verification_created" "a verification is stored; its caller was not answered",
    DocumentStored "http.document_stored" "a document is stored; its caller was not answered",
    DeviceStored "http.device_stored" "a device event is stored; its caller was not answered",
    ChallengeStored "http.challenge_stored" "a challenge is asked for; its caller was not answered",
    FinishStored "http.finish_stored" "the end of a challenge is stored; its caller was not answered",
    IntakeStopped "stop.intake_stopped" "no more is taken in; work in flight goes on",
    Drained "stop.drained" "work in flight is done or cut off; the facade still answers",
}

/// A foundation of the promises that can be taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// Work is claimed by plain writes, one after the other, whatever others wrote meanwhile.
    PlainClaim,
    /// Results are written whatever others wrote meanwhile, and whether or not they are still wanted.
    NoFence,
    /// Notifications are written after the decision instead of with it.
    OutboxApart,
    /// An empty list is believed although nothing proves that the login holds.
    EmptyListTrusted,
}

#[cfg(feature = "crash-points")]
pub use armed::{arm, bug_planted, reached, reached_with};

/// A point is reached: nothing happens.
#[cfg(not(feature = "crash-points"))]
#[inline]
pub const fn reached(_point: Point) {}

/// The same, with the record that is being worked on.
#[cfg(not(feature = "crash-points"))]
#[inline]
pub const fn reached_with(_point: Point, _record: &str) {}

/// Whether a bug is planted: never.
#[cfg(not(feature = "crash-points"))]
#[inline]
pub const fn bug_planted(_bug: Bug) -> bool {
    false
}

#[cfg(feature = "crash-points")]
mod armed {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::{Bug, Point};

    static FUSE: OnceLock<Fuse> = OnceLock::new();
    static PLANTED: OnceLock<Bug> = OnceLock::new();

    /// Where the process dies.
    struct Fuse {
        point: Point,
        /// Only with this record; empty for any.
        record: String,
        /// Times it is passed before that.
        left: AtomicU32,
    }

    impl Bug {
        const ALL: [(Bug, &'static str); 4] = [
            (Bug::PlainClaim, "plain_claim"),
            (Bug::NoFence, "no_fence"),
            (Bug::OutboxApart, "outbox_apart"),
            (Bug::EmptyListTrusted, "empty_list_trusted"),
        ];
    }

    /// Arms a point, as `NAME`, `NAME#3` (the third time) or `NAME@RECORD`, and plants a bug. Once a process, before it begins.
    pub fn arm(crash_at: Option<&str>, plant: Option<&str>) -> Result<(), String> {
        if let Some(wish) = crash_at {
            let _ = FUSE.set(Fuse::parse(wish).ok_or_else(|| format!("there is no crash point {wish}"))?);
        }
        if let Some(wish) = plant {
            let bug = Bug::ALL.into_iter().find(|(_, name)| *name == wish);
            let _ = PLANTED.set(bug.ok_or_else(|| format!("there is no bug {wish}"))?.0);
        }
        Ok(())
    }

    impl Fuse {
        fn parse(wish: &str) -> Option<Self> {
            let (wish, record) = wish.split_once('@').unwrap_or((wish, ""));
            let (name, times) = wish.split_once('#').unwrap_or((wish, "1"));
            let point = *Point::ALL.iter().find(|point| point.name() == name)?;
            let left = AtomicU32::new(times.parse::<u32>().ok()?.checked_sub(1)?);
            Some(Self { point, record: record.to_owned(), left })
        }
    }

    /// A point is reached: the process dies if it is armed, without a destructor run or a buffer flushed.
    pub fn reached(point: Point) {
        reached_with(point, "");
    }

    /// The same, with the record that is being worked on.
    pub fn reached_with(point: Point, record: &str) {
        let Some(fuse) = FUSE.get().filter(|fuse| fuse.point == point) else { return };
        if !fuse.record.is_empty() && fuse.record != record {
            return;
        }
        let passed = fuse.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if passed.is_err() {
            say(point);
            std::process::abort();
        }
    }

    /// Past the log, whose lines would die with the process.
    #[expect(clippy::print_stderr, reason = "the last words of a test build")]
    fn say(point: Point) {
        eprintln!("{{\"message\":\"crash point\",\"point\":\"{}\"}}", point.name());
    }

    /// Whether `bug` is planted.
    pub fn bug_planted(bug: Bug) -> bool {
        PLANTED.get() == Some(&bug)
    }

    #[cfg(test)]
    mod tests {
        use std::collections::BTreeSet;

        use super::*;

        #[test]
        fn each_point_has_a_name_of_its_own() {
            let names: BTreeSet<_> = Point::ALL.iter().map(|point| point.name()).collect();
            assert_eq!(names.len(), Point::ALL.len());
            for point in Point::ALL {
                let fuse = Fuse::parse(point.name()).expect("a point");
                assert_eq!((fuse.point, fuse.left.into_inner()), (*point, 0));
            }
        }

        #[test]
        fn a_wish_names_the_point_how_often_and_for_whom() {
            let fuse = Fuse::parse("examine.decoding#3@document0000001").expect("a wish");
            assert_eq!(
                (fuse.point, fuse.left.into_inner(), fuse.record.as_str()),
                (Point::Decoding, 2, "document0000001")
            );
            for bad in ["", "nowhere", "boot.tested#0", "boot.tested#x"] {
                assert!(Fuse::parse(bad).is_none(), "{bad}");
            }
        }
    }
}
