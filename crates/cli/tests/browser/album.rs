//! Pictures of what people saw.

use std::{
    cell::Cell,
    fs,
    path::{Path, PathBuf},
};

/// Where pictures of pages are kept: `target/desk-screenshots/NAME/01-….png` and so on, in the order they were taken.
pub struct Album {
    folder: PathBuf,
    count: Cell<usize>,
}

impl Album {
    /// Older pictures under this name are thrown away.
    pub fn new(name: &str) -> Self {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("it lies in the target folder");
        let folder = target.join("desk-screenshots").join(name);
        let _ = fs::remove_dir_all(&folder);
        Self { folder, count: Cell::new(0) }
    }

    /// One more.
    pub fn keep(&self, name: &str, picture: &[u8]) {
        self.count.set(self.count.get() + 1);
        // Without a case's number, which is another every time.
        let words = name.split_whitespace().filter(|word| !word.contains('-'));
        let words: Vec<String> = words.map(str::to_lowercase).collect();
        let file = format!("{:02}-{}.png", self.count.get(), words.join("-"));
        // Another run of the same test may just have thrown it away.
        fs::create_dir_all(&self.folder).expect("a folder");
        fs::write(self.folder.join(file), picture).expect("written");
    }
}
