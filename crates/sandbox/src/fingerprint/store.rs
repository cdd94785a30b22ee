//! The Fingerprint events that were created.

use std::collections::{HashMap, VecDeque};

use jiff::Timestamp;
use serde_json::Value;

/// Events that are kept, some twelve kilobytes each; the oldest is dropped for a new one.
// Enough for the largest backlog that `benches/run` creates.
const EVENTS_MAX: usize = 120_000;

/// All events that are kept.
#[derive(Debug, Default)]
pub struct Events {
    by_id: HashMap<String, StoredEvent>,
    order: VecDeque<String>,
    created: u64,
}

#[derive(Debug)]
pub struct StoredEvent {
    pub event: Value,
    /// Before this instant the API does not know the event.
    pub readable_from: Timestamp,
}

impl Events {
    /// The number of the next event, from which its id follows.
    pub fn next_number(&mut self) -> u64 {
        self.created += 1;
        self.created
    }

    pub fn insert(&mut self, id: String, stored: StoredEvent) {
        if self.order.len() >= EVENTS_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_id.remove(&oldest);
        }
        self.order.push_back(id.clone());
        self.by_id.insert(id, stored);
    }

    pub fn get(&self, id: &str) -> Option<&StoredEvent> {
        self.by_id.get(id)
    }

    pub fn get_mut(&mut self, id: &str) -> Option<&mut StoredEvent> {
        self.by_id.get_mut(id)
    }

    /// Deletes the events of a visitor; false if there was none.
    pub fn delete_visitor(&mut self, visitor_id: &str) -> bool {
        let before = self.by_id.len();
        self.by_id.retain(|_, stored| stored.event["identification"]["visitor_id"] != visitor_id);
        let kept = &self.by_id;
        self.order.retain(|id| kept.contains_key(id));
        self.by_id.len() < before
    }
}
