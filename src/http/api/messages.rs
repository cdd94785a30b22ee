//! The texts of the reason catalogue, for the person: plain, kind, and saying what to do.
//!
//! One row per message key of [`crate::verification::reason`], in English, Spanish, French and German. Fraud has neutral
//! rows only, so that no text teaches an attacker.

/// A language that has texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// English, also for every locale without texts.
    English,
    /// Spanish.
    Spanish,
    /// French.
    French,
    /// German.
    German,
}

impl Language {
    /// The language of a locale such as `es` or `de-AT`.
    pub fn of(locale: &str) -> Self {
        match locale.get(..2).unwrap_or_default().to_ascii_lowercase().as_str() {
            "es" => Self::Spanish,
            "fr" => Self::French,
            "de" => Self::German,
            _ => Self::English,
        }
    }
}

/// The text for `key`. A key of a newer version gets the text that is always true: somebody will look.
pub fn text(key: &str, language: Language) -> &'static str {
    let row = MESSAGES.iter().find(|row| row.key == key).unwrap_or(&OTHER);
    match language {
        Language::English => row.en,
        Language::Spanish => row.es,
        Language::French => row.fr,
        Language::German => row.de,
    }
}

struct Message {
    key: &'static str,
    en: &'static str,
    es: &'static str,
    fr: &'static str,
    de: &'static str,
}

const OTHER: Message = Message {
    key: "",
    en: "Somebody will look at your verification. You need not do anything.",
    es: "Una persona revisará su verificación. No tiene que hacer nada.",
    fr: "Une personne va examiner votre vérification. Vous n'avez rien à faire.",
    de: "Jemand sieht sich Ihre Prüfung an. Sie müssen nichts tun.",
};

const MESSAGES: &[Message] = &[
    Message {
        key: "document.missing_front",
        en: "The front of the document is missing. Please photograph the side with your picture.",
        es: "Falta el anverso del documento. Fotografíe el lado donde aparece su foto.",
        fr: "Il manque le recto du document. Photographiez le côté où figure votre photo.",
        de: "Die Vorderseite des Dokuments fehlt. Bitte fotografieren Sie die Seite mit Ihrem Bild.",
    },
    Message {
        key: "document.missing_back",
        en: "The back of the document is missing. Please photograph the other side too.",
        es: "Falta el reverso del documento. Fotografíe también el otro lado.",
        fr: "Il manque le verso du document. Photographiez aussi l'autre côté.",
        de: "Die Rückseite des Dokuments fehlt. Bitte fotografieren Sie auch die andere Seite.",
    },
    Message {
        key: "document.page_missing",
        en: "A page of the document is missing. Please photograph the page with your picture and your details.",
        es: "Falta una página del documento. Fotografíe la página con su foto y sus datos.",
        fr: "Il manque une page du document. Photographiez la page où figurent votre photo et vos données.",
        de: "Eine Seite des Dokuments fehlt. Bitte fotografieren Sie die Seite mit Ihrem Bild und Ihren Angaben.",
    },
    Message {
        key: "document.not_a_document",
        en: "We could not find an identity document in the picture. Please photograph your passport, identity card or driving licence.",
        es: "No hemos encontrado un documento de identidad en la imagen. Fotografíe su pasaporte, documento de identidad o permiso de conducir.",
        fr: "Nous n'avons pas trouvé de pièce d'identité sur l'image. Photographiez votre passeport, carte d'identité ou permis de conduire.",
        de: "Wir haben auf dem Bild kein Ausweisdokument gefunden. Bitte fotografieren Sie Ihren Reisepass, Personalausweis oder Führerschein.",
    },
    Message {
        key: "document.wrong_side",
        en: "The picture shows the other side of the document. Please check which side is asked for and try again.",
        es: "La imagen muestra el otro lado del documento. Compruebe qué lado se pide e inténtelo de nuevo.",
        fr: "L'image montre l'autre côté du document. Vérifiez quel côté est demandé et réessayez.",
        de: "Das Bild zeigt die andere Seite des Dokuments. Bitte sehen Sie nach, welche Seite gefragt ist, und versuchen Sie es noch einmal.",
    },
    Message {
        key: "document.multiple_documents",
        en: "There is more than one document in the picture. Please photograph only one.",
        es: "En la imagen hay más de un documento. Fotografíe solo uno.",
        fr: "L'image montre plusieurs documents. N'en photographiez qu'un seul.",
        de: "Auf dem Bild ist mehr als ein Dokument. Bitte fotografieren Sie nur eines.",
    },
    Message {
        key: "document.blurred",
        en: "The picture is blurred. Hold the camera still, let it focus, and try again.",
        es: "La imagen está borrosa. Mantenga la cámara quieta, deje que enfoque e inténtelo de nuevo.",
        fr: "L'image est floue. Tenez l'appareil immobile, laissez-le faire la mise au point et réessayez.",
        de: "Das Bild ist unscharf. Halten Sie die Kamera ruhig, lassen Sie sie scharfstellen, und versuchen Sie es noch einmal.",
    },
    Message {
        key: "document.glare",
        en: "Light is reflected on the document. Tilt it a little or move away from the lamp, and try again.",
        es: "Hay un reflejo de luz sobre el documento. Inclínelo un poco o aléjese de la lámpara e inténtelo de nuevo.",
        fr: "Un reflet gêne la lecture du document. Inclinez-le un peu ou éloignez-vous de la lampe, puis réessayez.",
        de: "Auf dem Dokument spiegelt sich Licht. Kippen Sie es etwas oder gehen Sie von der Lampe weg, und versuchen Sie es noch einmal.",
    },
    Message {
        key: "document.too_dark",
        en: "The picture is too dark. Find a brighter place and try again.",
        es: "La imagen es demasiado oscura. Busque un lugar más iluminado e inténtelo de nuevo.",
        fr: "L'image est trop sombre. Trouvez un endroit plus clair et réessayez.",
        de: "Das Bild ist zu dunkel. Suchen Sie einen helleren Ort und versuchen Sie es noch einmal.",
    },
    Message {
        key: "document.cut_off",
        en: "A part of the document is outside the picture. Please show all four corners.",
        es: "Una parte del documento queda fuera de la imagen. Muestre las cuatro esquinas.",
        fr: "Une partie du document est hors de l'image. Montrez les quatre coins.",
        de: "Ein Teil des Dokuments ist nicht im Bild. Bitte zeigen Sie alle vier Ecken.",
    },
    Message {
        key: "document.covered",
        en: "A part of the document is covered. Keep fingers and other things off it and try again.",
        es: "Una parte del documento está tapada. Retire los dedos u otros objetos e inténtelo de nuevo.",
        fr: "Une partie du document est cachée. Écartez les doigts et tout autre objet, puis réessayez.",
        de: "Ein Teil des Dokuments ist verdeckt. Halten Sie Finger und andere Dinge davon fern und versuchen Sie es noch einmal.",
    },
    Message {
        key: "document.black_and_white",
        en: "The picture is black and white. Please take one in colour.",
        es: "La imagen está en blanco y negro. Tome una en color.",
        fr: "L'image est en noir et blanc. Prenez-en une en couleur.",
        de: "Das Bild ist schwarz-weiß. Bitte nehmen Sie eines in Farbe auf.",
    },
    Message {
        key: "document.damaged",
        en: "The document looks damaged and cannot be read safely. Please use another document.",
        es: "El documento parece dañado y no se puede leer con seguridad. Utilice otro documento.",
        fr: "Le document semble abîmé et ne peut pas être lu avec certitude. Utilisez un autre document.",
        de: "Das Dokument wirkt beschädigt und lässt sich nicht sicher lesen. Bitte verwenden Sie ein anderes Dokument.",
    },
    Message {
        key: "document.image_too_small",
        en: "The picture is too small to be read. Come closer or choose a higher resolution.",
        es: "La imagen es demasiado pequeña para leerla. Acérquese o elija una resolución mayor.",
        fr: "L'image est trop petite pour être lue. Rapprochez-vous ou choisissez une meilleure résolution.",
        de: "Das Bild ist zu klein zum Lesen. Gehen Sie näher heran oder wählen Sie eine höhere Auflösung.",
    },
    Message {
        key: "document.unreadable",
        en: "We could not read the document. Please take a sharp picture in good light.",
        es: "No hemos podido leer el documento. Tome una imagen nítida con buena luz.",
        fr: "Nous n'avons pas pu lire le document. Prenez une image nette avec un bon éclairage.",
        de: "Wir konnten das Dokument nicht lesen. Bitte machen Sie ein scharfes Bild bei gutem Licht.",
    },
    Message {
        key: "document.type_unsupported",
        en: "This kind of document is not accepted here. Please start again with another one.",
        es: "Este tipo de documento no se acepta aquí. Empiece de nuevo con otro.",
        fr: "Ce type de document n'est pas accepté ici. Recommencez avec un autre.",
        de: "Diese Art von Dokument wird hier nicht angenommen. Bitte beginnen Sie mit einem anderen von vorn.",
    },
    Message {
        key: "document.type_mismatch",
        en: "The document is not of the kind you named. Please choose the right kind or photograph the other document.",
        es: "El documento no es del tipo que ha indicado. Elija el tipo correcto o fotografíe el otro documento.",
        fr: "Le document n'est pas du type que vous avez indiqué. Choisissez le bon type ou photographiez l'autre document.",
        de: "Das Dokument ist nicht von der Art, die Sie genannt haben. Bitte wählen Sie die richtige Art oder fotografieren Sie das andere Dokument.",
    },
    Message {
        key: "document.country_not_allowed",
        en: "Documents of this country are not accepted here. If you have a document of another country, please start again with it.",
        es: "Aquí no se aceptan documentos de este país. Si tiene un documento de otro país, empiece de nuevo con él.",
        fr: "Les documents de ce pays ne sont pas acceptés ici. Si vous avez un document d'un autre pays, recommencez avec celui-ci.",
        de: "Dokumente dieses Landes werden hier nicht angenommen. Wenn Sie ein Dokument eines anderen Landes haben, beginnen Sie bitte damit von vorn.",
    },
    Message {
        key: "document.expired",
        en: "The document has expired. Please start again with one that is valid.",
        es: "El documento ha caducado. Empiece de nuevo con uno vigente.",
        fr: "Le document a expiré. Recommencez avec un document en cours de validité.",
        de: "Das Dokument ist abgelaufen. Bitte beginnen Sie mit einem gültigen von vorn.",
    },
    Message {
        key: "document.not_yet_valid",
        en: "The document is not valid yet by its date of issue. Somebody will look at it; you need not do anything.",
        es: "Según su fecha de expedición, el documento aún no es válido. Una persona lo revisará; no tiene que hacer nada.",
        fr: "D'après sa date de délivrance, le document n'est pas encore valable. Une personne va l'examiner ; vous n'avez rien à faire.",
        de: "Nach seinem Ausstellungsdatum ist das Dokument noch nicht gültig. Jemand sieht es sich an; Sie müssen nichts tun.",
    },
    Message {
        key: "document.expires_soon",
        en: "The document expires soon. It is accepted now; please think of renewing it.",
        es: "El documento caduca pronto. Por ahora se acepta; piense en renovarlo.",
        fr: "Le document expire bientôt. Il est accepté pour l'instant ; pensez à le renouveler.",
        de: "Das Dokument läuft bald ab. Es wird jetzt noch angenommen; denken Sie bitte an die Erneuerung.",
    },
    Message {
        key: "document.mrz_not_detected",
        en: "The lines of letters and arrows at the edge of the document could not be found. Somebody will look at it; you need not do anything.",
        es: "No se han encontrado las líneas de letras y flechas del borde del documento. Una persona lo revisará; no tiene que hacer nada.",
        fr: "Les lignes de lettres et de chevrons au bord du document sont introuvables. Une personne va l'examiner ; vous n'avez rien à faire.",
        de: "Die Zeilen aus Buchstaben und Pfeilen am Rand des Dokuments waren nicht zu finden. Jemand sieht es sich an; Sie müssen nichts tun.",
    },
    Message {
        key: "document.mrz_check_digit_failed",
        en: "The lines of letters and arrows on the document could not be read reliably. Somebody will look at it; you need not do anything.",
        es: "Las líneas de letras y flechas del documento no se han podido leer con seguridad. Una persona lo revisará; no tiene que hacer nada.",
        fr: "Les lignes de lettres et de chevrons du document n'ont pas pu être lues avec certitude. Une personne va l'examiner ; vous n'avez rien à faire.",
        de: "Die Zeilen aus Buchstaben und Pfeilen auf dem Dokument waren nicht sicher zu lesen. Jemand sieht es sich an; Sie müssen nichts tun.",
    },
    Message {
        key: "document.barcode_not_detected",
        en: "The barcode of the document could not be found. Somebody will look at it; you need not do anything.",
        es: "No se ha encontrado el código de barras del documento. Una persona lo revisará; no tiene que hacer nada.",
        fr: "Le code-barres du document est introuvable. Une personne va l'examiner ; vous n'avez rien à faire.",
        de: "Der Strichcode des Dokuments war nicht zu finden. Jemand sieht es sich an; Sie müssen nichts tun.",
    },
    Message {
        key: "document.barcode_invalid",
        en: "The barcode of the document could not be read reliably. Somebody will look at it; you need not do anything.",
        es: "El código de barras del documento no se ha podido leer con seguridad. Una persona lo revisará; no tiene que hacer nada.",
        fr: "Le code-barres du document n'a pas pu être lu avec certitude. Une personne va l'examiner ; vous n'avez rien à faire.",
        de: "Der Strichcode des Dokuments war nicht sicher zu lesen. Jemand sieht es sich an; Sie müssen nichts tun.",
    },
    Message {
        key: "document.not_accepted",
        en: "We could not confirm this document. Please have the original ready; if you are asked for a new picture, photograph it directly.",
        es: "No hemos podido confirmar este documento. Tenga a mano el original; si se le pide otra imagen, fotografíelo directamente.",
        fr: "Nous n'avons pas pu confirmer ce document. Gardez l'original à portée de main ; si une nouvelle image vous est demandée, photographiez-le directement.",
        de: "Wir konnten dieses Dokument nicht bestätigen. Halten Sie bitte das Original bereit; wenn um ein neues Bild gebeten wird, fotografieren Sie es direkt.",
    },
    Message {
        key: "document.number_format_invalid",
        en: "The document number does not look as expected. Somebody will look at it; you need not do anything.",
        es: "El número del documento no tiene el aspecto esperado. Una persona lo revisará; no tiene que hacer nada.",
        fr: "Le numéro du document n'a pas la forme attendue. Une personne va l'examiner ; vous n'avez rien à faire.",
        de: "Die Dokumentnummer sieht nicht aus wie erwartet. Jemand sieht es sich an; Sie müssen nichts tun.",
    },
    Message {
        key: "document.declared_name_mismatch",
        en: "The name on the document differs from the one you gave. Somebody will look at it; you need not do anything.",
        es: "El nombre del documento es distinto del que ha indicado. Una persona lo revisará; no tiene que hacer nada.",
        fr: "Le nom figurant sur le document diffère de celui que vous avez indiqué. Une personne va l'examiner ; vous n'avez rien à faire.",
        de: "Der Name auf dem Dokument weicht von Ihrer Angabe ab. Jemand sieht es sich an; Sie müssen nichts tun.",
    },
    Message {
        key: "document.declared_dob_mismatch",
        en: "The date of birth on the document differs from the one you gave. Somebody will look at it; you need not do anything.",
        es: "La fecha de nacimiento del documento es distinta de la que ha indicado. Una persona lo revisará; no tiene que hacer nada.",
        fr: "La date de naissance figurant sur le document diffère de celle que vous avez indiquée. Une personne va l'examiner ; vous n'avez rien à faire.",
        de: "Das Geburtsdatum auf dem Dokument weicht von Ihrer Angabe ab. Jemand sieht es sich an; Sie müssen nichts tun.",
    },
    Message {
        key: "document.declared_number_mismatch",
        en: "The number on the document differs from the one you gave. Somebody will look at it; you need not do anything.",
        es: "El número del documento es distinto del que ha indicado. Una persona lo revisará; no tiene que hacer nada.",
        fr: "Le numéro figurant sur le document diffère de celui que vous avez indiqué. Une personne va l'examiner ; vous n'avez rien à faire.",
        de: "Die Nummer auf dem Dokument weicht von Ihrer Angabe ab. Jemand sieht es sich an; Sie müssen nichts tun.",
    },
    Message {
        key: "document.data_inconsistent",
        en: "Some details on the document do not fit together. Somebody will look at it; you need not do anything.",
        es: "Algunos datos del documento no concuerdan entre sí. Una persona lo revisará; no tiene que hacer nada.",
        fr: "Certaines données du document ne concordent pas. Une personne va l'examiner ; vous n'avez rien à faire.",
        de: "Einige Angaben auf dem Dokument passen nicht zusammen. Jemand sieht es sich an; Sie müssen nichts tun.",
    },
    Message {
        key: "document.portrait_missing",
        en: "We could not find the photo of you on the document. Please photograph the side that shows it, without glare.",
        es: "No hemos encontrado su foto en el documento. Fotografíe el lado donde aparece, sin reflejos.",
        fr: "Nous n'avons pas trouvé votre photo sur le document. Photographiez le côté où elle figure, sans reflet.",
        de: "Wir haben Ihr Foto auf dem Dokument nicht gefunden. Bitte fotografieren Sie die Seite, auf der es ist, ohne Spiegelung.",
    },
    Message {
        key: "document.blocklisted",
        en: "This document cannot be used here. Please get in touch with the company that asked you to verify.",
        es: "Este documento no se puede utilizar aquí. Póngase en contacto con la empresa que le ha pedido la verificación.",
        fr: "Ce document ne peut pas être utilisé ici. Adressez-vous à l'entreprise qui vous a demandé cette vérification.",
        de: "Dieses Dokument kann hier nicht verwendet werden. Bitte wenden Sie sich an das Unternehmen, das Sie um die Prüfung gebeten hat.",
    },
    Message {
        key: "document.extraction_disagreement",
        en: "The document could not be read the same way twice. Somebody will look at it; you need not do anything.",
        es: "El documento no se ha leído igual dos veces. Una persona lo revisará; no tiene que hacer nada.",
        fr: "Deux lectures du document ont donné des résultats différents. Une personne va l'examiner ; vous n'avez rien à faire.",
        de: "Zwei Lesungen des Dokuments waren nicht gleich. Jemand sieht es sich an; Sie müssen nichts tun.",
    },
    Message {
        key: "document.needs_review",
        en: "Somebody will look at your document. You need not do anything.",
        es: "Una persona revisará su documento. No tiene que hacer nada.",
        fr: "Une personne va examiner votre document. Vous n'avez rien à faire.",
        de: "Jemand sieht sich Ihr Dokument an. Sie müssen nichts tun.",
    },
    Message {
        key: "liveness.not_completed",
        en: "The face check was not finished. Please start it again and stay until it says that it is done.",
        es: "La comprobación facial no ha terminado. Vuelva a empezarla y espere hasta que indique que ha finalizado.",
        fr: "La vérification du visage n'a pas été terminée. Recommencez-la et restez jusqu'à ce qu'elle indique la fin.",
        de: "Die Gesichtsprüfung wurde nicht beendet. Bitte beginnen Sie sie neu und bleiben Sie, bis sie sich fertig meldet.",
    },
    Message {
        key: "liveness.session_expired",
        en: "The time for the face check ran out. Please start it again.",
        es: "Se ha agotado el tiempo de la comprobación facial. Vuelva a empezarla.",
        fr: "Le temps prévu pour la vérification du visage est écoulé. Recommencez-la.",
        de: "Die Zeit für die Gesichtsprüfung ist abgelaufen. Bitte beginnen Sie sie neu.",
    },
    Message {
        key: "liveness.session_failed",
        en: "The face check could not be evaluated. Please start it again; it was not your fault.",
        es: "No se ha podido evaluar la comprobación facial. Vuelva a empezarla; no ha sido culpa suya.",
        fr: "La vérification du visage n'a pas pu être évaluée. Recommencez-la ; vous n'y êtes pour rien.",
        de: "Die Gesichtsprüfung konnte nicht ausgewertet werden. Bitte beginnen Sie sie neu; es lag nicht an Ihnen.",
    },
    Message {
        key: "liveness.not_confirmed",
        en: "We could not confirm the face check. If you are asked again, please do it yourself, in front of the camera and in good light.",
        es: "No hemos podido confirmar la comprobación facial. Si se le pide de nuevo, hágala en persona, frente a la cámara y con buena luz.",
        fr: "Nous n'avons pas pu confirmer la vérification du visage. Si elle vous est redemandée, faites-la vous-même, face à la caméra et avec un bon éclairage.",
        de: "Wir konnten die Gesichtsprüfung nicht bestätigen. Wenn Sie noch einmal gefragt werden, machen Sie sie bitte selbst, vor der Kamera und bei gutem Licht.",
    },
    Message {
        key: "liveness.low_confidence",
        en: "The face check was not clear enough. Somebody will look at it; you need not do anything.",
        es: "La comprobación facial no ha sido lo bastante clara. Una persona la revisará; no tiene que hacer nada.",
        fr: "La vérification du visage n'était pas assez nette. Une personne va l'examiner ; vous n'avez rien à faire.",
        de: "Die Gesichtsprüfung war nicht deutlich genug. Jemand sieht sie sich an; Sie müssen nichts tun.",
    },
    Message {
        key: "liveness.reference_image_missing",
        en: "The face check gave us no usable picture. Please start it again; it was not your fault.",
        es: "La comprobación facial no nos ha dado una imagen utilizable. Vuelva a empezarla; no ha sido culpa suya.",
        fr: "La vérification du visage n'a fourni aucune image utilisable. Recommencez-la ; vous n'y êtes pour rien.",
        de: "Die Gesichtsprüfung hat kein brauchbares Bild ergeben. Bitte beginnen Sie sie neu; es lag nicht an Ihnen.",
    },
    Message {
        key: "liveness.no_face",
        en: "We could not see a face. Please look straight into the camera and try again.",
        es: "No hemos visto ninguna cara. Mire de frente a la cámara e inténtelo de nuevo.",
        fr: "Nous n'avons pas vu de visage. Regardez la caméra bien en face et réessayez.",
        de: "Wir konnten kein Gesicht sehen. Bitte schauen Sie gerade in die Kamera und versuchen Sie es noch einmal.",
    },
    Message {
        key: "liveness.multiple_faces",
        en: "There was more than one face. Please be alone in the picture and try again.",
        es: "Había más de una cara. Asegúrese de aparecer solo en la imagen e inténtelo de nuevo.",
        fr: "Il y avait plusieurs visages. Veillez à être seul dans l'image et réessayez.",
        de: "Es war mehr als ein Gesicht zu sehen. Bitte seien Sie allein im Bild und versuchen Sie es noch einmal.",
    },
    Message {
        key: "liveness.face_occluded",
        en: "A part of your face was covered. Take off a mask, sunglasses or a hat and try again.",
        es: "Una parte de su cara estaba tapada. Quítese la mascarilla, las gafas de sol o el sombrero e inténtelo de nuevo.",
        fr: "Une partie de votre visage était cachée. Retirez masque, lunettes de soleil ou chapeau et réessayez.",
        de: "Ein Teil Ihres Gesichts war verdeckt. Nehmen Sie Maske, Sonnenbrille oder Hut ab und versuchen Sie es noch einmal.",
    },
    Message {
        key: "liveness.poor_lighting",
        en: "The light was not good enough. Face a window or a lamp and try again.",
        es: "La luz no era suficiente. Póngase frente a una ventana o una lámpara e inténtelo de nuevo.",
        fr: "L'éclairage était insuffisant. Placez-vous face à une fenêtre ou à une lampe et réessayez.",
        de: "Das Licht war nicht gut genug. Wenden Sie sich einem Fenster oder einer Lampe zu und versuchen Sie es noch einmal.",
    },
    Message {
        key: "liveness.pose_out_of_range",
        en: "Your head was turned too far. Please look straight into the camera and try again.",
        es: "Tenía la cabeza demasiado girada. Mire de frente a la cámara e inténtelo de nuevo.",
        fr: "Votre tête était trop tournée. Regardez la caméra bien en face et réessayez.",
        de: "Ihr Kopf war zu weit gedreht. Bitte schauen Sie gerade in die Kamera und versuchen Sie es noch einmal.",
    },
    Message {
        key: "face.not_confirmed",
        en: "We could not confirm that you are the person on the document. Somebody will look at it; please have your document ready.",
        es: "No hemos podido confirmar que usted sea la persona del documento. Una persona lo revisará; tenga a mano su documento.",
        fr: "Nous n'avons pas pu confirmer que vous êtes la personne figurant sur le document. Une personne va l'examiner ; gardez votre document à portée de main.",
        de: "Wir konnten nicht bestätigen, dass Sie die Person auf dem Dokument sind. Jemand sieht es sich an; bitte halten Sie Ihr Dokument bereit.",
    },
    Message {
        key: "face.similarity_in_review_band",
        en: "The photo on the document and your face could not be compared with certainty. Somebody will look at it; you need not do anything.",
        es: "No se han podido comparar con certeza la foto del documento y su cara. Una persona lo revisará; no tiene que hacer nada.",
        fr: "La photo du document et votre visage n'ont pas pu être comparés avec certitude. Une personne va l'examiner ; vous n'avez rien à faire.",
        de: "Das Foto im Dokument und Ihr Gesicht ließen sich nicht sicher vergleichen. Jemand sieht es sich an; Sie müssen nichts tun.",
    },
    Message {
        key: "face.comparison_not_possible",
        en: "The photo on the document and your face could not be compared. Please take a sharp picture of the document, then do the face check again.",
        es: "No se han podido comparar la foto del documento y su cara. Tome una imagen nítida del documento y repita la comprobación facial.",
        fr: "La photo du document et votre visage n'ont pas pu être comparés. Prenez une image nette du document, puis refaites la vérification du visage.",
        de: "Das Foto im Dokument und Ihr Gesicht ließen sich nicht vergleichen. Bitte machen Sie ein scharfes Bild des Dokuments und dann noch einmal die Gesichtsprüfung.",
    },
    Message {
        key: "face.blocklisted",
        en: "This verification cannot be completed here. Please get in touch with the company that asked you to verify.",
        es: "Esta verificación no se puede completar aquí. Póngase en contacto con la empresa que se la ha pedido.",
        fr: "Cette vérification ne peut pas être menée à bien ici. Adressez-vous à l'entreprise qui vous l'a demandée.",
        de: "Diese Prüfung kann hier nicht abgeschlossen werden. Bitte wenden Sie sich an das Unternehmen, das Sie darum gebeten hat.",
    },
    Message {
        key: "face.age_inconsistent",
        en: "Some details need a closer look. Somebody will do that; you need not do anything.",
        es: "Algunos datos requieren una revisión más detallada. Una persona se encargará; no tiene que hacer nada.",
        fr: "Certaines données demandent un examen plus attentif. Une personne s'en charge ; vous n'avez rien à faire.",
        de: "Einige Angaben müssen genauer angesehen werden. Das übernimmt jemand; Sie müssen nichts tun.",
    },
    Message {
        key: "device.signal_missing",
        en: "We could not check the device you are using. Please allow scripts on this page, switch off blockers, and reload it if you are asked again.",
        es: "No hemos podido comprobar su dispositivo. Permita los scripts en esta página, desactive los bloqueadores y recárguela si se le vuelve a pedir.",
        fr: "Nous n'avons pas pu vérifier votre appareil. Autorisez les scripts sur cette page, désactivez les bloqueurs et rechargez-la si on vous le redemande.",
        de: "Wir konnten Ihr Gerät nicht prüfen. Bitte erlauben Sie Skripte auf dieser Seite, schalten Sie Blocker aus und laden Sie sie neu, wenn Sie wieder gefragt werden.",
    },
    Message {
        key: "device.not_accepted",
        en: "We could not confirm the device or connection you are using. If you can, use your own phone or computer without a VPN or proxy.",
        es: "No hemos podido confirmar el dispositivo o la conexión que utiliza. Si puede, use su propio teléfono u ordenador sin VPN ni proxy.",
        fr: "Nous n'avons pas pu confirmer l'appareil ou la connexion que vous utilisez. Si possible, utilisez votre propre téléphone ou ordinateur, sans VPN ni proxy.",
        de: "Wir konnten Ihr Gerät oder Ihre Verbindung nicht bestätigen. Verwenden Sie nach Möglichkeit Ihr eigenes Telefon oder Ihren Computer ohne VPN oder Proxy.",
    },
    Message {
        key: "device.ip_country_mismatch",
        en: "You seem to be in another country than expected. Somebody will look at it; you need not do anything.",
        es: "Parece que se encuentra en un país distinto del esperado. Una persona lo revisará; no tiene que hacer nada.",
        fr: "Vous semblez vous trouver dans un autre pays que prévu. Une personne va l'examiner ; vous n'avez rien à faire.",
        de: "Sie scheinen in einem anderen Land zu sein als erwartet. Jemand sieht es sich an; Sie müssen nichts tun.",
    },
    Message {
        key: "policy.under_age",
        en: "You have not reached the age that is required here.",
        es: "No ha alcanzado la edad que se exige aquí.",
        fr: "Vous n'avez pas encore l'âge requis ici.",
        de: "Sie haben das hier geforderte Alter noch nicht erreicht.",
    },
    Message {
        key: "policy.attempts_exhausted",
        en: "All attempts have been used. Please get in touch with the company that asked you to verify.",
        es: "Se han agotado todos los intentos. Póngase en contacto con la empresa que le ha pedido la verificación.",
        fr: "Toutes les tentatives ont été utilisées. Adressez-vous à l'entreprise qui vous a demandé cette vérification.",
        de: "Alle Versuche sind aufgebraucht. Bitte wenden Sie sich an das Unternehmen, das Sie um die Prüfung gebeten hat.",
    },
    Message {
        key: "policy.needs_review",
        en: "Somebody will look at your verification. You need not do anything.",
        es: "Una persona revisará su verificación. No tiene que hacer nada.",
        fr: "Une personne va examiner votre vérification. Vous n'avez rien à faire.",
        de: "Jemand sieht sich Ihre Prüfung an. Sie müssen nichts tun.",
    },
    Message {
        key: "policy.consent_missing",
        en: "We need your consent before we may check anything. Please read the text and agree to it if you want to go on.",
        es: "Necesitamos su consentimiento antes de comprobar nada. Lea el texto y acéptelo si desea continuar.",
        fr: "Nous avons besoin de votre consentement avant toute vérification. Lisez le texte et acceptez-le si vous souhaitez continuer.",
        de: "Wir brauchen Ihre Einwilligung, bevor wir etwas prüfen dürfen. Bitte lesen Sie den Text und stimmen Sie zu, wenn Sie fortfahren möchten.",
    },
    Message {
        key: "policy.manual_decline",
        en: "After a review, we could not accept this verification. Please get in touch with the company that asked you to verify.",
        es: "Tras una revisión, no hemos podido aceptar esta verificación. Póngase en contacto con la empresa que se la ha pedido.",
        fr: "Après examen, nous n'avons pas pu accepter cette vérification. Adressez-vous à l'entreprise qui vous l'a demandée.",
        de: "Nach einer Prüfung durch eine Person konnten wir diese Verifizierung nicht annehmen. Bitte wenden Sie sich an das Unternehmen, das Sie darum gebeten hat.",
    },
    Message {
        key: "system.in_progress",
        en: "A technical problem on our side kept us from finishing one of the checks. You need not do anything about it.",
        es: "Un problema técnico nuestro nos ha impedido terminar una de las comprobaciones. No tiene que hacer nada al respecto.",
        fr: "Un problème technique de notre côté nous a empêchés de terminer l'un des contrôles. Vous n'avez rien à faire à ce sujet.",
        de: "Wegen eines technischen Problems auf unserer Seite konnten wir eine der Prüfungen nicht abschließen. Sie müssen deswegen nichts tun.",
    },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::verification::Code;
    use crate::verification::reason::Category;

    #[test]
    fn every_key_of_the_catalogue_has_its_four_texts_and_no_text_is_without_a_key() {
        let wanted: BTreeSet<&str> = Code::ALL.iter().map(|code| code.entry().message_key).collect();
        let given: BTreeSet<&str> = MESSAGES.iter().map(|row| row.key).collect();
        assert_eq!(given, wanted);
        assert_eq!(given.len(), MESSAGES.len(), "a key stands twice");
        for row in MESSAGES {
            let texts: BTreeSet<&str> = [row.en, row.es, row.fr, row.de].into();
            assert_eq!(texts.len(), 4, "{}: two languages share a text", row.key);
            for text in texts {
                assert!(text.len() > 20 && text.ends_with('.') && !text.contains("  "), "{}: {text}", row.key);
            }
        }
    }

    /// In each language, a text about a picture asks for something: it has a word that tells what to do.
    #[test]
    fn every_flaw_of_a_picture_tells_the_person_what_to_do_better() {
        const ASKS: [(Language, &[&str]); 4] = [
            (Language::English, &["please", "hold", "tilt", "find", "keep", "come", "take"]),
            (
                Language::Spanish,
                &[
                    "fotografíe",
                    "mantenga",
                    "incl",
                    "busque",
                    "muestre",
                    "retire",
                    "tome",
                    "utilice",
                    "acérquese",
                    "compruebe",
                ],
            ),
            (
                Language::French,
                &[
                    "photographiez",
                    "tenez",
                    "inclinez",
                    "trouvez",
                    "montrez",
                    "écartez",
                    "prenez",
                    "utilisez",
                    "rapprochez",
                    "vérifiez",
                ],
            ),
            (Language::German, &["bitte", "halten", "kippen", "suchen", "gehen", "machen"]),
        ];
        let of_pictures = Code::ALL
            .iter()
            .filter(|code| code.as_str().starts_with("document.") && code.entry().category == Category::UserAction);
        for code in of_pictures {
            for (language, words) in ASKS {
                let told = text(code.entry().message_key, language).to_lowercase();
                assert!(words.iter().any(|word| told.contains(word)), "{code}: {told}");
            }
        }
    }

    /// It is told with every outcome that the rest of the findings lead to, a refusal too: so it promises nothing and asks for nothing.
    #[test]
    fn what_our_machines_could_not_do_is_our_problem_whatever_the_outcome() {
        const NOTHING: [(Language, &str, &[&str]); 4] = [
            (Language::English, "need not do anything", &["keep trying", "will", "please", "still"]),
            (Language::Spanish, "no tiene que hacer nada", &["seguimos", "inténtelo", "vamos a"]),
            (Language::French, "rien à faire", &["continuons", "réessayez", "veuillez", "allons"]),
            (Language::German, "nichts tun", &["weiter", "noch", "werden", "bitte"]),
        ];
        for code in [Code::SystemProviderUnavailable, Code::SystemInternalError] {
            for (language, nothing, promises) in NOTHING {
                let told = text(code.entry().message_key, language).to_lowercase();
                assert!(told.contains(nothing) && !promises.iter().any(|word| told.contains(word)), "{code}: {told}");
            }
        }
    }

    #[test]
    fn a_locale_chooses_its_language_and_others_get_english() {
        for (locale, language) in [
            ("es", Language::Spanish),
            ("fr-CA", Language::French),
            ("de-AT", Language::German),
            ("en-GB", Language::English),
            ("pt", Language::English),
            ("", Language::English),
            ("é", Language::English),
        ] {
            assert_eq!(Language::of(locale), language, "{locale:?}");
        }
        assert!(text("document.blurred", Language::German).contains("unscharf"));
        assert_eq!(text("from.the_future", Language::English), OTHER.en);
    }
}
