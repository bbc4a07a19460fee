//! Prepares the files of the two pages and the OpenAPI document: compresses them, and puts the assets into a folder whose
//! name is a hash of them all, so that a browser may cache an asset for as long as it likes.
//!
//! The assets are those of `src/http/pages/assets` and the two files of Swagger UI that the API reference needs. The
//! result is `pages.rs` in the output folder, which `src/http/pages/mod.rs` includes.

use std::collections::BTreeMap;
use std::env;
use std::error::Error;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;

const PAGES: &str = "src/http/pages";
const ASSETS: &str = "src/http/pages/assets";
/// Written by hand. A test compares it with the code.
const OPENAPI: &str = "src/http/openapi.json";
/// The files of Swagger UI that are embedded; the archive has fifty more.
const SWAGGER_UI: [&str; 2] = ["swagger-ui-bundle.js", "swagger-ui.css"];

/// The pages: the constant, the file, and the value of `data-auth` that tells its scripts whether a key is needed.
const HTML: [(&str, &str, &str); 3] = [
    ("GENERATOR_WITH_KEY", "index.html", "key"),
    ("GENERATOR_WITHOUT_KEY", "index.html", "none"),
    ("REFERENCE", "docs.html", "key"),
];

fn main() -> Result<(), Box<dyn Error>> {
    writeln!(io::stdout(), "cargo::rerun-if-changed={PAGES}\ncargo::rerun-if-changed={OPENAPI}")?;
    writeln!(io::stdout(), "cargo::rerun-if-changed=build.rs")?;
    let output = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    let assets = assets()?;
    let mut hash = Sha256::new();
    for (name, content) in &assets {
        // Lengths keep a byte from moving from one file to the next.
        hash.update(format!("{name} {}\n", content.len()));
        hash.update(content);
    }
    let folder = format!("assets/{}", hexadecimal(hash)?);

    let mut code = b"/// The files of the folder of assets.\npub(super) static ASSETS: &[File] = &[\n".to_vec();
    for (name, content) in &assets {
        let media_type = media_type(name)?;
        writeln!(code, "    File::asset(\"/{folder}/{name}\", \"{media_type}\", include_bytes!(\"{name}.gz\")),")?;
        compress(&output.join(format!("{name}.gz")), content)?;
    }
    writeln!(code, "];")?;
    let mut tagged = |constant: &str, file: &str, media_type: &str, text: &str| -> Result<(), Box<dyn Error>> {
        let etag = hexadecimal(Sha256::new_with_prefix(text))?;
        writeln!(
            code,
            "/// The file `{file}`.\npub(crate) static {constant}: File =\n    \
             File::tagged(\"{media_type}\", \"W/\\\"{etag}\\\"\", include_bytes!(\"{constant}.gz\"));"
        )?;
        Ok(compress(&output.join(format!("{constant}.gz")), text.as_bytes())?)
    };
    for (constant, file, auth) in HTML {
        let html = fs::read_to_string(Path::new(PAGES).join(file))?;
        let html = html.replace("{{assets}}", &folder).replace("{{auth}}", auth);
        tagged(constant, file, "text/html; charset=utf-8", &html)?;
    }
    tagged("OPENAPI", "openapi.json", "application/json", &minified(&fs::read_to_string(OPENAPI)?))?;
    fs::write(output.join("pages.rs"), code)?;
    Ok(())
}

/// Name and content of each asset, ordered by name.
fn assets() -> Result<BTreeMap<String, Vec<u8>>, Box<dyn Error>> {
    let mut assets = BTreeMap::new();
    for entry in fs::read_dir(ASSETS)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).ok_or("a file name is not UTF-8")?;
        assets.insert(name.to_owned(), fs::read(&path)?);
    }
    for name in SWAGGER_UI {
        assets.insert(name.to_owned(), from_archive(SWAGGER_UI_VENDORED, &format!("/dist/{name}"))?);
    }
    Ok(assets)
}

/// A JSON text without the white space between its tokens.
fn minified(json: &str) -> String {
    let (mut in_string, mut is_escaped) = (false, false);
    let keep = |character: &char| {
        let keeps = in_string || !character.is_ascii_whitespace();
        if *character == '"' && !is_escaped {
            in_string = !in_string;
        }
        is_escaped = *character == '\\' && !is_escaped;
        keeps
    };
    json.chars().filter(keep).collect()
}

fn media_type(name: &str) -> Result<&'static str, String> {
    match name.rsplit_once('.') {
        Some((_, "js")) => Ok("text/javascript; charset=utf-8"),
        Some((_, "css")) => Ok("text/css; charset=utf-8"),
        Some((_, "svg")) => Ok("image/svg+xml"),
        _ => Err(format!("{name} has no known media type")),
    }
}

/// The first 16 hexadecimal digits of a hash.
fn hexadecimal(hash: Sha256) -> Result<String, Box<dyn Error>> {
    Ok(hex::encode(hash.finalize().get(..8).ok_or("a hash of less than 64 bits")?))
}

fn compress(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content)?;
    fs::write(path, encoder.finish()?)
}

/// The file of a zip archive whose path ends in `suffix`, by the central directory (APPNOTE.TXT, section 4.3.12).
fn from_archive(archive: &[u8], suffix: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let number = |at: usize, bytes: usize| -> Option<usize> {
        let field = archive.get(at..at + bytes)?;
        field.iter().rev().try_fold(0_usize, |sum, byte| sum.checked_mul(256)?.checked_add(usize::from(*byte)))
    };
    let end = archive.windows(4).rposition(|bytes| bytes == b"PK\x05\x06").ok_or("not a zip archive")?;
    let mut entry = number(end + 16, 4).ok_or("no central directory")?;
    while archive.get(entry..entry + 4) == Some(b"PK\x01\x02") {
        let field = |at: usize, bytes: usize| number(entry + at, bytes).ok_or("a truncated entry");
        let (method, compressed, size) = (field(10, 2)?, field(20, 4)?, field(24, 4)?);
        let (name, extra, comment) = (field(28, 2)?, field(30, 2)?, field(32, 2)?);
        let local = field(42, 4)?;
        if archive.get(entry + 46..entry + 46 + name).is_some_and(|name| name.ends_with(suffix.as_bytes())) {
            let lengths = number(local + 26, 2).zip(number(local + 28, 2)).ok_or("a truncated header")?;
            let data = local + 30 + lengths.0 + lengths.1;
            let data = archive.get(data..data + compressed).ok_or("a truncated file")?;
            let mut content = Vec::new();
            match method {
                8 => DeflateDecoder::new(data).read_to_end(&mut content)?,
                _ => return Err(format!("{suffix} is not compressed by deflate").into()),
            };
            return if content.len() == size { Ok(content) } else { Err("a file of another size".into()) };
        }
        entry += 46 + name + extra + comment;
    }
    Err(format!("the archive has no {suffix}").into())
}
