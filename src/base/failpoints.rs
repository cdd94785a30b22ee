//! Crash points and planted bugs: failures that a test build causes on request.
//!
//! A *crash point* stands at each await between an effect and its record. The process dies there if
//! the point is armed (`CRASH_AT`); the suite arms each of them once. A *planted bug* (`PLANT`)
//! disables one mechanism that the promises of RELIABILITY.md rest on; the test oracle must notice.
//! Without the feature `crash-points` both are empty functions, and the binary contains none of
//! their names.

/// Declares the points: the variant, the name on the command line, and what has happened there.
macro_rules! points {
    ($($point:ident $name:literal $meaning:literal),* $(,)?) => {
        /// A place between an effect and its record.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Point {
            $(#[doc = $meaning] $point,)*
        }

        #[cfg(feature = "crash-points")]
        impl Point {
            /// Every point, in the order in which a verification passes them.
            pub const ALL: &[Point] = &[$(Point::$point),*];

            /// The stable name, as `CRASH_AT` takes it.
            pub const fn name(self) -> &'static str {
                match self { $(Point::$point => $name,)* }
            }

            /// What has happened at this point, and what has not.
            pub const fn meaning(self) -> &'static str {
                match self { $(Point::$point => $meaning,)* }
            }
        }
    };
}

points! {
    BootLoggedIn "boot.logged_in" "logged in; PocketBase was not checked yet",
    BootTested "boot.tested" "the schema check passed; nothing is watched",
    LoginAnswered "login.answered" "a login by password succeeded; its token is not kept yet",
    LoginProved "login.proved" "PocketBase said whether the token is valid; nothing was done about it",
    LoginRenewed "login.renewed" "a token was renewed at half its life; the new one is not kept yet",
    LoginLost "login.lost" "a login turned out to be lost; no new one was asked for",
    WatchConnected "watch.connected" "subscribed; nothing was listed",
    WatchLost "watch.lost" "the event stream was closed; no new one was opened",
    SweepPage "watch.sweep_page" "a page of open verifications was listed; none of it is in the queue",
    SweepDone "watch.sweep_done" "all open verifications were listed and queued",
    BeatDue "watch.beat_due" "a heartbeat is due; it was not written",
    BeatWritten "watch.beat_written" "a heartbeat was written; its event did not arrive",
    EventHeard "watch.event_heard" "an event arrived; its verification is not in the queue",
    QueueTaken "worker.taken" "an id was taken from the queue; nothing was read",
    QueuePutBack "worker.put_back" "a pass is done; its timer is not in the queue",
    CaseRead "reconcile.read" "a case was read; nothing was decided",
    OutboxRead "reconcile.outbox_read" "the webhook endpoints of a decision were read; nothing is written",
    CommitDue "commit.due" "a batch is ready; it was not sent",
    CommitUnknown "commit.unknown" "a batch got no answer; it was not read back",
    CommitReadBack "commit.read_back" "a batch without an answer was read back; nothing was done about it",
    CommitAnswered "commit.answered" "a batch is stored; its answer was not read",
    RaceLost "reconcile.race_lost" "another sidecar wrote first; nothing was read again",
    Claimed "reconcile.claimed" "work is claimed; it has not started",
    Decided "reconcile.decided" "a decision and its notifications are stored; nothing else was done",
    Examined "reconcile.examined" "work is done and paid for; its result is not stored",
    ResultStored "reconcile.result_stored" "a result is stored; the next step was not determined",
    ResultLate "reconcile.result_late" "a result arrived too late and was dropped",
    StoreFailed "reconcile.store_failed" "a result could not be stored; it was not tried again",
    SessionDue "examine.session_due" "a challenge is claimed; the provider was not asked",
    SessionOpened "examine.session_opened" "the provider opened a challenge; nothing is stored",
    ResultAnswered "examine.result_answered" "the provider gave a liveness result; it was not judged",
    ResultNotYet "examine.result_not_yet" "the provider has no liveness result yet; it was not asked again",
    DeviceAnswered "examine.device_answered" "the provider described a device; it was not judged",
    FileTokenGranted "files.token_granted" "a token for protected files was granted; it is not kept yet",
    PicturesFetched "examine.pictures_fetched" "a document's pictures were fetched; none was decoded",
    Decoding "examine.decoding" "a picture is being decoded",
    FacesDetected "examine.faces_detected" "faces were detected; the model may still be reading",
    DocumentRead "examine.document_read" "the model has read a side; face detection may still be running",
    PortraitCut "examine.portrait_cut" "the portrait was cut out; the result is not complete",
    FacesFetched "examine.faces_fetched" "both faces were fetched; they were not compared",
    FacesCompared "examine.faces_compared" "the provider compared the faces; it was not judged",
    PersonEnsured "http.person_ensured" "a partner's person exists; their verification does not",
    VerificationCreated "http.verification_created" "a verification is stored; the caller was not answered",
    DocumentStored "http.document_stored" "a document is stored; the caller was not answered",
    DeviceStored "http.device_stored" "a device event is stored; the caller was not answered",
    ChallengeStored "http.challenge_stored" "a challenge is requested; the caller was not answered",
    FinishStored "http.finish_stored" "the end of a challenge is stored; the caller was not answered",
    IntakeStopped "stop.intake_stopped" "the intake has stopped; work in flight continues",
    Drained "stop.drained" "work in flight is done or cut off; the facade still answers",
}

/// A mechanism that can be disabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// Work is claimed by plain writes, one after the other, without a check for concurrent writes.
    PlainClaim,
    /// Results are written without a check for concurrent writes, even if they are no longer
    /// wanted.
    NoFence,
    /// Notifications are written after the decision instead of in the same batch.
    OutboxApart,
    /// An empty list is accepted without a check that the token is still valid.
    EmptyListTrusted,
}

#[cfg(feature = "crash-points")]
pub use armed::{arm, bug_planted, reached, reached_with};

/// Marks that `_point` is reached; does nothing in this build.
#[cfg(not(feature = "crash-points"))]
#[inline]
pub const fn reached(_point: Point) {}

/// Marks that `_point` is reached for one record; does nothing in this build.
#[cfg(not(feature = "crash-points"))]
#[inline]
pub const fn reached_with(_point: Point, _record: &str) {}

/// Whether a bug is planted: never in this build.
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

    /// The armed point.
    struct Fuse {
        point: Point,
        /// Id of the record that it is armed for; empty for any.
        record: String,
        /// How often the point is passed before the process dies.
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

    /// Arms a point, written `NAME`, `NAME#3` (the third time) or `NAME@RECORD`, and plants a bug.
    /// Called once, before the process starts its work.
    pub fn arm(crash_at: Option<&str>, plant: Option<&str>) -> Result<(), String> {
        if let Some(text) = crash_at {
            let _ = FUSE.set(Fuse::parse(text).ok_or_else(|| format!("there is no crash point {text}"))?);
        }
        if let Some(text) = plant {
            let bug = Bug::ALL.into_iter().find(|(_, name)| *name == text);
            let _ = PLANTED.set(bug.ok_or_else(|| format!("there is no bug {text}"))?.0);
        }
        Ok(())
    }

    impl Fuse {
        fn parse(text: &str) -> Option<Self> {
            let (text, record) = text.split_once('@').unwrap_or((text, ""));
            let (name, times) = text.split_once('#').unwrap_or((text, "1"));
            let point = *Point::ALL.iter().find(|point| point.name() == name)?;
            let left = AtomicU32::new(times.parse::<u32>().ok()?.checked_sub(1)?);
            Some(Self { point, record: record.to_owned(), left })
        }
    }

    /// Marks that `point` is reached: aborts the process if it is armed, without destructors and
    /// without flushing buffers.
    pub fn reached(point: Point) {
        reached_with(point, "");
    }

    /// Marks that `point` is reached for `record`; see [`reached`].
    pub fn reached_with(point: Point, record: &str) {
        let Some(fuse) = FUSE.get().filter(|fuse| fuse.point == point) else { return };
        if !fuse.record.is_empty() && fuse.record != record {
            return;
        }
        let passed = fuse.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if passed.is_err() {
            print(point);
            std::process::abort();
        }
    }

    // Not through the log: its waiting lines would be lost with the process.
    #[expect(clippy::print_stderr, reason = "the log would be lost")]
    fn print(point: Point) {
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
        fn each_point_has_its_own_name() {
            let names: BTreeSet<_> = Point::ALL.iter().map(|point| point.name()).collect();
            assert_eq!(names.len(), Point::ALL.len());
            for point in Point::ALL {
                let fuse = Fuse::parse(point.name()).expect("a point");
                assert_eq!((fuse.point, fuse.left.into_inner()), (*point, 0));
            }
        }

        #[test]
        fn a_point_is_armed_for_a_count_and_a_record() {
            let fuse = Fuse::parse("examine.decoding#3@document0000001").expect("valid");
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
