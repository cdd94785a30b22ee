//! `documents`: identity documents that people uploaded.

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::columns::Aged;
use crate::pocketbase::request::FilePart;
use crate::verification::{Document, DocumentType};

/// A document that the facade uploads for a person.
#[derive(Debug, Clone)]
pub struct NewDocument {
    /// Id of the verification.
    pub verification: String,
    /// Type of the document, as the person declares it.
    pub document_type: DocumentType,
    /// Issuing state, ISO 3166, two or three letters; may be empty.
    pub country: String,
    /// The side with the portrait: JPEG or PNG. The bytes are shared, not copied.
    pub front: Bytes,
    /// The other side.
    pub back: Option<Bytes>,
}

impl NewDocument {
    pub(in crate::pocketbase) fn files(&self) -> Vec<FilePart> {
        let sides = [("front", Some(&self.front)), ("back", self.back.as_ref())];
        sides
            .into_iter()
            .filter_map(|(side, bytes)| Some(FilePart::picture(side.to_owned(), side, bytes?.clone())))
            .collect()
    }
}

/// The fields of a document apart from its files.
#[derive(Debug, Serialize)]
pub struct DocumentFields<'a> {
    verification: &'a str,
    #[serde(rename = "type")]
    document_type: DocumentType,
    country: &'a str,
}

impl<'a> From<&'a NewDocument> for DocumentFields<'a> {
    fn from(new: &'a NewDocument) -> Self {
        Self { verification: &new.verification, document_type: new.document_type, country: &new.country }
    }
}

#[derive(Debug, Deserialize)]
pub struct DocumentRow {
    id: String,
    #[serde(rename = "type")]
    document_type: DocumentType,
    country: String,
    front: String,
    back: String,
    created: Timestamp,
}

impl Aged for DocumentRow {
    fn age(&self) -> (Timestamp, &str) {
        (self.created, &self.id)
    }
}

impl From<DocumentRow> for Document {
    fn from(row: DocumentRow) -> Self {
        Self {
            id: row.id,
            document_type: row.document_type,
            country: row.country,
            front: row.front,
            back: row.back,
            created: row.created,
        }
    }
}
