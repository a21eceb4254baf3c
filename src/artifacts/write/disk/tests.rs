//! What is on disk before, during and after a compilation.

use std::os::unix::fs::MetadataExt as _;

use super::*;

/// An empty folder of a test's own, and a writer there.
fn folder(name: &str) -> (PathBuf, Disk) {
    let folder = std::env::temp_dir().join(format!("puya-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir(&folder).unwrap();
    (folder.clone(), Disk::new(folder))
}

#[test]
fn files_appear_when_everything_is_there() {
    let (folder, mut disk) = folder("write");
    disk.make_folder(Path::new("out")).unwrap();
    disk.write(Path::new("out/a"), b"1").unwrap();
    assert!(!folder.join("out/a").exists());
    disk.finish().unwrap();
    assert_eq!(fs::read(folder.join("out/a")).unwrap(), b"1");
    assert_eq!(disk.written(), [folder.join("out/a")]);
    disk.make_folder(Path::new("out/new/deep")).unwrap();
    disk.write(Path::new("out/new/deep/b"), b"2").unwrap();
    disk.write(Path::new("out/b"), b"2").unwrap();
    drop(disk);
    assert_eq!(fs::read_dir(folder.join("out")).unwrap().count(), 1);
    fs::remove_dir_all(folder).unwrap();
}

/// Everything in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = entries.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_missing_folder_comes_with_everything_in_it() {
    let (folder, mut disk) = folder("new");
    for path in ["out/new", "out/new/deep", "out"] {
        disk.make_folder(Path::new(path)).unwrap();
        disk.write(&Path::new(path).join("a"), path.as_bytes()).unwrap();
    }
    let stand_in = format!(".out.{}", std::process::id());
    assert_eq!(names(&folder), [stand_in]);
    disk.finish().unwrap();
    assert_eq!(names(&folder), ["out"]);
    assert_eq!(names(&folder.join("out")), ["a", "new"]);
    for path in ["out/new", "out/new/deep", "out"] {
        assert_eq!(fs::read_to_string(folder.join(path).join("a")).unwrap(), path);
    }
    let expected = ["out/new/a", "out/new/deep/a", "out/a"].map(|path| folder.join(path));
    assert_eq!(disk.written(), expected);
    // there is no second one
    disk.make_folder(Path::new("other")).unwrap();
    disk.write(Path::new("other/a"), b"1").unwrap();
    disk.make_folder(Path::new("another/deep")).unwrap();
    assert_eq!(
        names(&folder),
        [format!(".other.{}", std::process::id()).as_str(), "another", "out"]
    );
    drop(disk);
    assert_eq!(names(&folder), ["out"]);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_missing_folder_may_be_spelled_in_other_ways() {
    let (folder, mut disk) = folder("spelled");
    for path in ["./out//new/", "out/./new/.", "out/new/deep//"] {
        disk.make_folder(Path::new(path)).unwrap();
    }
    disk.write(Path::new("out/new/deep/a"), b"1").unwrap();
    disk.finish().unwrap();
    assert_eq!(names(&folder), ["out"]);
    assert_eq!(fs::read(folder.join("out/new/deep/a")).unwrap(), b"1");
    let mut disk = Disk::new(folder.join("missing"));
    let error = disk.make_folder(Path::new(".")).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    assert_eq!(names(&folder), ["out"]);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn what_somebody_else_put_into_a_missing_folder_meanwhile_stays() {
    let (folder, mut disk) = folder("meanwhile");
    disk.make_folder(Path::new("out/new")).unwrap();
    disk.write(Path::new("out/new/a"), b"1").unwrap();
    disk.write_dump(Path::new("out/dumps/a"), b"2").unwrap();
    disk.finish().unwrap();
    assert_eq!(names(&folder), ["out"]);
    assert_eq!(names(&folder.join("out")), ["dumps", "new"]);
    assert_eq!(fs::read(folder.join("out/new/a")).unwrap(), b"1");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_missing_folder_that_became_a_file_is_told() {
    let (folder, mut disk) = folder("became");
    disk.make_folder(Path::new("out")).unwrap();
    disk.write(Path::new("out/a"), b"1").unwrap();
    fs::write(folder.join("out"), "2").unwrap();
    assert_eq!(disk.finish().unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    assert!(disk.written().is_empty());
    assert_eq!(names(&folder), ["out"]);
    for path in ["out", "out/deep"] {
        assert!(disk.make_folder(Path::new(path)).is_err(), "{path}");
    }
    assert_eq!(names(&folder), ["out"]);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_path_may_leave_a_missing_folder_again() {
    let (folder, mut disk) = folder("leave");
    disk.make_folder(Path::new("out")).unwrap();
    disk.write(Path::new("out/a"), b"1").unwrap();
    disk.make_folder(Path::new("out/deep")).unwrap();
    for path in ["out/../b", "out/deep/../c"] {
        disk.write(Path::new(path), b"2").unwrap();
    }
    disk.make_folder(Path::new("out/deep/../../d")).unwrap();
    disk.finish().unwrap();
    assert_eq!(names(&folder), ["b", "d", "out"]);
    assert_eq!(names(&folder.join("out")), ["a", "c", "deep"]);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn files_that_stay_the_same_only_get_a_new_date() {
    let (folder, mut disk) = folder("same");
    let long = vec![7; 100_000];
    let before = SystemTime::now() - std::time::Duration::from_secs(3600);
    for (name, content) in [("a", &b"1"[..]), ("b", b"1"), ("c", b""), ("d", &long)] {
        fs::write(folder.join(name), content).unwrap();
        File::open(folder.join(name)).unwrap().set_modified(before).unwrap();
    }
    let state = |name: &str| {
        let metadata = fs::metadata(folder.join(name)).unwrap();
        (metadata.ino(), metadata.modified().unwrap() > before)
    };
    let inodes = ["a", "b", "c", "d"].map(|name| state(name).0);
    let mut changed = long.clone();
    changed[99_999] = 8;
    for (name, content) in [("a", &b"1"[..]), ("b", b"2"), ("c", b""), ("d", &changed)] {
        disk.write(Path::new(name), content).unwrap();
    }
    // nothing is touched before the end
    assert_eq!(["a", "b", "c", "d"].map(state), inodes.map(|inode| (inode, false)));
    disk.finish().unwrap();
    assert_eq!(disk.written().len(), 4);
    let after = ["a", "b", "c", "d"].map(state);
    assert!(after.iter().all(|(_, is_new)| *is_new));
    let is_replaced: Vec<bool> = inodes.iter().zip(&after).map(|(a, (b, _))| a != b).collect();
    assert_eq!(is_replaced, [false, true, false, true]);
    assert_eq!(fs::read(folder.join("d")).unwrap(), changed);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn of_two_files_with_one_name_the_later_stays() {
    let (folder, mut disk) = folder("twice");
    // the first time the folder is missing
    for contents in [["1", "2"], ["1", "2"], ["2", "1"], ["1", "1"]] {
        disk.make_folder(Path::new("out")).unwrap();
        for content in contents {
            disk.write(Path::new("out/a"), content.as_bytes()).unwrap();
        }
        disk.finish().unwrap();
        assert_eq!(fs::read_to_string(folder.join("out/a")).unwrap(), contents[1]);
    }
    assert_eq!(disk.written(), vec![folder.join("out/a"); 8]);
    assert_eq!(names(&folder), ["out"]);
    assert_eq!(names(&folder.join("out")), ["a"]);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn what_is_no_file_gives_way_unless_it_is_a_folder() {
    let (folder, mut disk) = folder("other");
    fs::write(folder.join("elsewhere"), "1").unwrap();
    std::os::unix::fs::symlink("elsewhere", folder.join("link")).unwrap();
    let socket = std::os::unix::net::UnixListener::bind(folder.join("socket")).unwrap();
    let pipe = std::process::Command::new("mkfifo").arg(folder.join("pipe")).status().unwrap();
    assert!(pipe.success());
    fs::create_dir(folder.join("folder")).unwrap();
    disk.write(Path::new("pipe"), b"1").unwrap();
    disk.write(Path::new("link"), b"1").unwrap();
    disk.write(Path::new("socket"), b"1").unwrap();
    let error = disk.write(Path::new("folder"), b"1").unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::IsADirectory);
    disk.finish().unwrap();
    for name in ["link", "pipe", "socket"] {
        assert!(fs::symlink_metadata(folder.join(name)).unwrap().is_file(), "{name}");
    }
    drop(socket);
    fs::remove_dir_all(folder).unwrap();
}
