/// Documents that were shown before: `document_hashes` (one row for each document check that read a document, written
/// by the service, never readable by the person) and `known_documents` (the operators' list of documents that are not
/// accepted). Hashes only: neither holds a number or a picture.

const REVIEWER = "(@request.auth.collectionName = 'reviewers' && @request.auth.role != '')";
const SERVICE = "@request.auth.collectionName = 'services'";

const BANDS = [0, 1, 2, 3, 4, 5, 6, 7];

migrate(
  (app) => {
    app.save(
      new Collection({
        type: "base",
        name: "document_hashes",
        listRule: `${REVIEWER} || ${SERVICE}`,
        viewRule: `${REVIEWER} || ${SERVICE}`,
        createRule: SERVICE,
        fields: [
          {
            type: "relation",
            name: "verification",
            collectionId: app.findCollectionByNameOrId("verifications").id,
            required: true,
            maxSelect: 1,
            cascadeDelete: true,
          },
          { type: "text", name: "number", max: 64, pattern: "^[0-9a-f]{64}$", help: "HMAC-SHA256 under HASH_KEY of type, issuer and number." },
          { type: "bool", name: "number_first", help: "No row had this number when the service looked. At most one row may say so." },
          { type: "text", name: "picture", max: 256, pattern: "^[0-9a-f]{256}$", help: "Perceptual hash of the front." },
          { type: "bool", name: "picture_first", help: "No row had exactly this picture when the service looked. At most one row may say so." },
          ...BANDS.map((band) => ({ type: "text", name: `band_${band}`, max: 18, pattern: "^[0-9a-f]{18}$" })),
          { type: "autodate", name: "created", onCreate: true },
        ],
        indexes: [
          "CREATE INDEX `idx_document_hashes_verification` ON `document_hashes` (`verification`)",
          "CREATE INDEX `idx_document_hashes_number` ON `document_hashes` (`number`)",
          // Two services that look at the same moment both find no earlier document. One of these indexes then lets only one
          // of them write, and the other looks again.
          "CREATE UNIQUE INDEX `idx_document_hashes_number_first` ON `document_hashes` (`number`) WHERE `number_first` = 1",
          "CREATE UNIQUE INDEX `idx_document_hashes_picture_first` ON `document_hashes` (`picture`) WHERE `picture_first` = 1",
          ...BANDS.map((band) => `CREATE INDEX \`idx_document_hashes_band_${band}\` ON \`document_hashes\` (\`band_${band}\`)`),
        ],
      }),
    );

    app.save(
      new Collection({
        type: "base",
        name: "known_documents",
        listRule: `${REVIEWER} || ${SERVICE}`,
        viewRule: `${REVIEWER} || ${SERVICE}`,
        fields: [
          {
            type: "text",
            name: "hash",
            required: true,
            max: 256,
            pattern: "^([0-9a-f]{64}|[0-9a-f]{256})$",
            presentable: true,
            help: "Copied from a document check: known.number_hash or known.picture_hash.",
          },
          {
            type: "select",
            name: "listing",
            required: true,
            maxSelect: 1,
            presentable: true,
            values: ["compromised", "blocklisted"],
            help: "compromised: stolen, lost, or its picture circulates. blocklisted: not accepted here.",
          },
          { type: "text", name: "note", max: 2000, help: "Why, and from where. No names, no numbers." },
          { type: "autodate", name: "created", onCreate: true },
          { type: "autodate", name: "updated", onCreate: true, onUpdate: true },
        ],
        indexes: ["CREATE UNIQUE INDEX `idx_known_documents_hash` ON `known_documents` (`hash`)"],
      }),
    );
  },
  (app) => {
    for (const name of ["known_documents", "document_hashes"]) {
      app.delete(app.findCollectionByNameOrId(name));
    }
  },
);
