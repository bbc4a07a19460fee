//! The pages for browsers: the generator at `/`, the API reference at `/docs`, and their assets; and the OpenAPI document.
//!
//! `build.rs` compresses the files of this folder, Swagger UI and the document. The assets have one folder, whose name is a hash of
//! them all: modules import each other by relative names, and no browser mixes two versions.

include!(concat!(env!("OUT_DIR"), "/pages.rs"));

/// A page or an asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// The generator.
    Generator,
    /// The API reference.
    Reference,
    /// A file that a page loads.
    Asset(&'static File),
}

/// A file, compressed.
#[derive(Debug, PartialEq, Eq)]
pub struct File {
    /// The path of an asset.
    path: &'static str,
    /// The media type.
    pub media_type: &'static str,
    /// The entity tag of a page or of the OpenAPI document. An asset has none: its content never changes.
    pub etag: Option<&'static str>,
    /// The content, in gzip.
    pub gzip: &'static [u8],
}

impl File {
    const fn asset(path: &'static str, media_type: &'static str, gzip: &'static [u8]) -> Self {
        Self { path, media_type, etag: None, gzip }
    }

    const fn tagged(media_type: &'static str, etag: &'static str, gzip: &'static [u8]) -> Self {
        Self { path: "", media_type, etag: Some(etag), gzip }
    }
}

impl Page {
    /// The page or the asset of a path.
    #[must_use]
    pub fn find(path: &str) -> Option<Self> {
        match path {
            "/" => Some(Self::Generator),
            "/docs" => Some(Self::Reference),
            _ => ASSETS.iter().find(|file| file.path == path).map(Self::Asset),
        }
    }

    /// Its file. `needs_key` selects the generator that asks for a key.
    #[must_use]
    pub fn file(self, needs_key: bool) -> &'static File {
        match self {
            Self::Generator if needs_key => &GENERATOR_WITH_KEY,
            Self::Generator => &GENERATOR_WITHOUT_KEY,
            Self::Reference => &REFERENCE,
            Self::Asset(file) => file,
        }
    }
}
