//! `infer live` on URLs: files on servers, which end, and streams, which do not, told apart by what they are.
//! The servers are this test's own, on 127.0.0.1; what they give is made by ffmpeg.

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::video::{ffmpeg_is_here, make};
use common::{ended_well, error_of, live, number};

/// Whether a server gives parts of files.
#[derive(Clone, Copy, PartialEq)]
enum Ranges {
    Served,
    Ignored,
}

/// Serves the files of a folder for as long as the test runs; gives the URL of the folder.
fn serve(folder: &Path, ranges: Ranges) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let folder = folder.to_owned();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let folder = folder.clone();
            // A player that has seen enough hangs up.
            std::thread::spawn(move || drop(answer(stream.unwrap(), &folder, ranges)));
        }
    });
    url
}

/// The path that is asked for, and from which byte on.
fn request(stream: &TcpStream) -> std::io::Result<(String, Option<usize>)> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next().unwrap_or_else(|| Err(std::io::ErrorKind::UnexpectedEof.into()))?;
    let path = first.split(' ').nth(1).unwrap_or_default().trim_start_matches('/').to_owned();
    let mut from = None;
    for line in lines {
        let line = line?;
        if line.is_empty() {
            break;
        }
        if let Some(range) = line.strip_prefix("Range: bytes=") {
            from = range.split('-').next().and_then(|from| from.parse().ok());
        }
    }
    Ok((path, from))
}

fn answer(mut stream: TcpStream, folder: &Path, ranges: Ranges) -> std::io::Result<()> {
    let (path, from) = request(&stream)?;
    let Ok(bytes) = std::fs::read(folder.join(path)) else {
        return stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    };
    let from = from.filter(|_| ranges == Ranges::Served);
    let rest = &bytes[from.unwrap_or(0).min(bytes.len())..];
    let status = if from.is_some() { "206 Partial Content" } else { "200 OK" };
    write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n", rest.len())?;
    if let Some(from) = from {
        let (last, all) = (bytes.len() - 1, bytes.len());
        write!(stream, "Accept-Ranges: bytes\r\nContent-Range: bytes {from}-{last}/{all}\r\n")?;
    }
    stream.write_all(b"\r\n")?;
    stream.write_all(rest)
}

/// Gives one connection an endless stream as ffmpeg makes it, from its beginning, in chunks, and for so long
/// at most. Says how long it lasted.
fn stream_to(mut stream: TcpStream, format: &str, keyframes: &str, longest: Duration) -> Duration {
    let start = Instant::now();
    let _ = request(&stream);
    let kind =
        if format == "mpjpeg" { "multipart/x-mixed-replace;boundary=ffmpeg" } else { "video/mp2t" };
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut encoder = Command::new("ffmpeg")
        .args(["-loglevel", "error", "-re", "-f", "lavfi", "-i", "testsrc=size=96x64:rate=10"])
        .args(["-g", keyframes, "-pix_fmt", "yuvj420p", "-f", format, "-flush_packets", "1"])
        .arg("pipe:1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = encoder.stdout.take().unwrap();
    let mut bytes = [0; 4096];
    while start.elapsed() < longest {
        let count = out.read(&mut bytes).unwrap();
        let chunk = [format!("{count:x}\r\n").as_bytes(), &bytes[..count], b"\r\n"].concat();
        if count == 0 || stream.write_all(&chunk).is_err() {
            break;
        }
    }
    encoder.kill().unwrap();
    encoder.wait().unwrap();
    start.elapsed()
}

const FOREVER: Duration = Duration::from_secs(120);

/// Ten frames in a second.
fn film(folder: &Path, name: &str, more: &[&str]) {
    let source =
        ["-f", "lavfi", "-i", "testsrc=size=96x64:rate=10:duration=1", "-c:v", "mpeg2video"];
    make(&[&source[..], more].concat(), &folder.join(name));
}

#[test]
fn a_file_on_a_server_is_a_file() {
    if !ffmpeg_is_here() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    film(folder.path(), "first.mp4", &["-movflags", "+faststart"]);
    film(folder.path(), "list.m3u8", &["-hls_time", "0.5", "-hls_playlist_type", "vod"]);
    for ranges in [Ranges::Served, Ranges::Ignored] {
        let url = serve(folder.path(), ranges);
        for name in ["first.mp4", "list.m3u8"] {
            let out = ended_well(&mut live(&format!("{url}/{name}")));
            assert!(out.contains("captured 10 = shown 10 + dropped 0 "), "{name}: {out}");
            assert!(out.contains("ended after 10 frames") && out.contains("faults 0"), "{out}");
        }
        let first = format!("{url}/first.mp4");
        let start = Instant::now();
        let out = ended_well(live(&first).arg("--realtime"));
        assert!(out.contains("captured 10 = shown ") && out.contains("faults 0"), "{out}");
        assert!(start.elapsed() > Duration::from_millis(900), "ten frames last a second");
        let out = ended_well(live(&first).args(["--loop", "--max-frames", "25"]));
        assert!(out.contains("captured 25 = shown 25 "), "{out}");
    }
}

#[test]
fn a_file_with_its_index_at_its_end_needs_a_server_that_gives_parts() {
    if !ffmpeg_is_here() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // Larger than what ffmpeg keeps and can go back in.
    let noise = "testsrc=size=320x240:rate=10:duration=1,noise=alls=50:allf=t";
    make(
        &["-f", "lavfi", "-i", noise, "-q:v", "2", "-c:v", "mpeg4"],
        &folder.path().join("film.mp4"),
    );
    let out = ended_well(&mut live(&format!("{}/film.mp4", serve(folder.path(), Ranges::Served))));
    assert!(out.contains("captured 10 = shown 10 "), "{out}");
    let url = serve(folder.path(), Ranges::Ignored);
    let error = error_of(&mut live(&format!("{url}/film.mp4")), 2);
    assert!(error.contains("expected video, got no frame: "), "{error}");
    assert!(error.contains("download it, and name the copy"), "{error}");
}

#[test]
fn a_stream_by_http_is_live() {
    if !ffmpeg_is_here() {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    for format in ["mpegts", "mpjpeg"] {
        let server = listener.try_clone().unwrap();
        let serving = std::thread::spawn(move || {
            // One breaks off, and is opened again.
            for longest in [Duration::from_secs(2), FOREVER] {
                stream_to(server.accept().unwrap().0, format, "10", longest);
            }
        });
        let out = ended_well(live(&url).args(["--max-frames", "30"]));
        assert!(out.contains("; opening it again in 0.25 s"), "{format}: {out}");
        assert!(out.contains("captured 30 = shown ") && out.contains("reopened 1"), "{out}");
        assert!(out.contains("source faults 1,"), "{format}: {out}");
        serving.join().unwrap();
    }
    let serving = std::thread::spawn(move || {
        stream_to(listener.accept().unwrap().0, "mpegts", "10", FOREVER)
    });
    let error = error_of(live(&url).arg("--loop"), 2);
    assert!(error.contains("--loop: expected files as source, got a stream"), "{error}");
    serving.join().unwrap();
}

#[test]
fn the_first_keyframe_of_a_stream_is_not_missed() {
    if !ffmpeg_is_here() {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    // The next keyframe comes after six seconds.
    let serving = std::thread::spawn(move || {
        stream_to(listener.accept().unwrap().0, "mpegts", "60", FOREVER)
    });
    ended_well(live(&url).args(["--max-frames", "3"]));
    let watched = serving.join().unwrap();
    assert!(watched < Duration::from_secs(5), "{watched:?}");
}

#[test]
fn after_four_seconds_away_a_server_is_back_within_a_second_and_a_keyframe() {
    if !ffmpeg_is_here() {
        return;
    }
    let away = Duration::from_secs(4);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = listener.local_addr().unwrap();
    let serving = std::thread::spawn(move || {
        stream_to(listener.accept().unwrap().0, "mpegts", "10", Duration::from_secs(3));
        drop(listener);
        std::thread::sleep(away);
        let listener = TcpListener::bind(place).unwrap();
        stream_to(listener.accept().unwrap().0, "mpegts", "10", FOREVER);
    });
    let out = ended_well(live(&format!("http://{place}/")).args(["--max-frames", "40"]));
    serving.join().unwrap();
    assert!(number(&out, "reopened ") > 3, "{out}");
    let (_, back) = out.split_once("frames again after ").unwrap_or_else(|| panic!("{out}"));
    let back: f64 = back.split(' ').next().unwrap().parse().unwrap();
    // Half a second more for a machine on which ffmpeg itself starts slowly.
    assert!((4.0..6.5).contains(&back), "{out}");
}
