//! TTML as music services and their tools write it: paragraphs are lines, timed spans in them are
//! words, `ttm:agent` says who sings, roles and metadata carry translations and pronunciations.
//! Read event by event with bounded depth; nothing is expanded or fetched.

mod values;

use std::collections::BTreeMap;

use quick_xml::{
    Reader, XmlVersion,
    escape::resolve_predefined_entity,
    events::{BytesStart, Event},
};

use values::{attribute, is_lang, time};

use super::{Agent, CueLine, Kind, Line, Lyrics, Role, cues::Pieces, text};

/// Deeper ones are meant to hurt.
const DEEPEST: usize = 40;
/// Voices, languages.
const MOST_OF_A_KIND: usize = 32;

/// Whether this is to be read as TTML.
pub(super) fn is_ttml(body: &str) -> bool {
    let head = body.trim_start_matches('\u{feff}').trim_start();
    head.starts_with('<') && head.contains("<tt")
}

/// Reads all layers, the sung one first; `None` if this is no XML or has no lines.
pub(super) fn parse(body: &str) -> Option<Vec<Lyrics>> {
    let mut reader = Reader::from_str(body.trim_start_matches('\u{feff}').trim_start());
    reader.config_mut().check_end_names = false;
    let mut document = Document::default();
    loop {
        match reader.read_event().ok()? {
            Event::Start(tag) => document.open(&tag)?,
            Event::Empty(tag) => {
                document.open(&tag)?;
                document.close();
            }
            Event::End(_) => document.close(),
            Event::Text(text) => {
                document.pending.push_str(&text.xml_content(XmlVersion::Implicit1_0));
            }
            Event::CData(text) => {
                document.pending.push_str(&text.xml_content(XmlVersion::Implicit1_0));
            }
            Event::GeneralRef(name) => match name.resolve_char_ref().ok().flatten() {
                Some(letter) => document.pending.push(letter),
                None => {
                    let known = resolve_predefined_entity(&name.into_inner());
                    document.pending.push_str(known.unwrap_or_default());
                }
            },
            Event::DocType(_) => return None,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => (),
            Event::Eof => break,
        }
        if text::MOST_BYTES < document.pending.len() || text::MOST_LINES < document.lines.len() {
            return None;
        }
    }
    document.finish()
}

/// Which words of a line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Layer {
    Sung,
    Behind,
    Other(Kind, String),
}

/// An open element.
#[derive(Debug)]
struct Open {
    name: String,
    layer: Layer,
    time: Option<(u64, Option<u64>)>,
}

/// A line as it is read.
#[derive(Debug, Default)]
struct Paragraph {
    start_ms: Option<u64>,
    end_ms: Option<u64>,
    agent: String,
    key: String,
    layers: BTreeMap<Layer, Pieces>,
}

/// What was read so far.
#[derive(Debug, Default)]
struct Document {
    open: Vec<Open>,
    pending: String,
    lang: Option<String>,
    /// Voices as declared: id, whether it is a group, name.
    voices: Vec<(String, bool, String)>,
    line: Option<Paragraph>,
    lines: Vec<Paragraph>,
    /// Words for a line elsewhere: whose, and in which layer.
    words_for: Option<(String, Layer)>,
    elsewhere: BTreeMap<(String, Layer), Pieces>,
}

impl Document {
    fn open(&mut self, tag: &BytesStart<'_>) -> Option<()> {
        self.flush();
        if DEEPEST < self.open.len() {
            return None;
        }
        let name = tag.local_name().as_ref().to_owned();
        let layer = self.open.last().map_or(Layer::Sung, |open| open.layer.clone());
        let mut open = Open { layer, time: None, name };
        match open.name.as_str() {
            "tt" => self.lang = attribute(tag, "xml:lang").filter(|lang| is_lang(lang)),
            "agent" if self.voices.len() < MOST_OF_A_KIND => {
                let id = attribute(tag, "xml:id").unwrap_or_default();
                let is_group = attribute(tag, "type").is_some_and(|kind| kind == "group");
                self.voices.push((id, is_group, String::new()));
            }
            "translation" => open.layer = other(Kind::Translation, tag),
            "transliteration" => open.layer = other(Kind::Pronunciation, tag),
            "text" => {
                let key = attribute(tag, "for").unwrap_or_default();
                if self.elsewhere.len() < text::MOST_LINES {
                    self.words_for = Some((key, open.layer.clone()));
                }
            }
            "p" => {
                self.end_line();
                let duration = time(tag, "dur");
                let start_ms = time(tag, "begin");
                let end_ms =
                    time(tag, "end").or(start_ms.zip(duration).map(|(start, by)| start + by));
                self.line = Some(Paragraph {
                    start_ms,
                    end_ms,
                    agent: attribute(tag, "agent").unwrap_or_default(),
                    key: attribute(tag, "key").unwrap_or_default(),
                    layers: BTreeMap::new(),
                });
            }
            "span" => {
                open.time = time(tag, "begin").map(|start| (start, time(tag, "end")));
                match attribute(tag, "role").as_deref() {
                    Some("x-bg") => open.layer = Layer::Behind,
                    Some("x-translation") => open.layer = other(Kind::Translation, tag),
                    Some("x-roman") => open.layer = other(Kind::Pronunciation, tag),
                    _ => (),
                }
            }
            "br" => self.pending.push(' '),
            _ => (),
        }
        self.open.push(open);
        Some(())
    }

    fn close(&mut self) {
        self.flush();
        match self.open.pop().as_ref().map(|open| open.name.as_str()) {
            Some("p") => self.end_line(),
            Some("text") => self.words_for = None,
            _ => (),
        }
    }

    /// Gives the text that came to whom it belongs.
    fn flush(&mut self) {
        let pending = std::mem::take(&mut self.pending);
        let Some(open) = self.open.last() else { return };
        if pending.is_empty() {
            return;
        }
        if open.name == "name" {
            if let Some((.., name)) = self.voices.last_mut() {
                *name = pending.split_whitespace().collect::<Vec<_>>().join(" ");
                name.truncate(name.floor_char_boundary(200));
            }
            return;
        }
        // Only the innermost span's own time is that of its words.
        let time = open.time;
        let pieces = match (&mut self.line, &self.words_for) {
            (Some(line), _) => line.layers.entry(open.layer.clone()).or_default(),
            (None, Some(whose)) => self.elsewhere.entry(whose.clone()).or_default(),
            (None, None) => return,
        };
        pieces.push(&pending, time);
    }

    fn end_line(&mut self) {
        let Some(mut line) = self.line.take() else { return };
        // By the book words count from their line's beginning; nearly nobody writes them so.
        let first = line.layers.values().filter_map(Pieces::first_ms).min();
        match (line.start_ms, first) {
            (Some(start), Some(first)) if first < start => {
                line.layers.values_mut().for_each(|pieces| pieces.shift(start));
            }
            (None, first) => line.start_ms = first,
            _ => (),
        }
        if line.layers.values().any(|pieces| !pieces.text().is_empty()) {
            self.lines.push(line);
        }
    }

    fn finish(mut self) -> Option<Vec<Lyrics>> {
        self.flush();
        self.end_line();
        for line in &mut self.lines {
            for ((_, layer), pieces) in
                self.elsewhere.iter().filter(|((key, _), _)| !key.is_empty() && *key == line.key)
            {
                line.layers.entry(layer.clone()).or_insert_with(|| pieces.clone());
            }
        }
        let is_synced =
            !self.lines.is_empty() && self.lines.iter().all(|line| line.start_ms.is_some());
        if is_synced {
            self.lines.sort_by_key(|line| line.start_ms);
        }
        let mut others: Vec<(Kind, String)> = Vec::new();
        for layer in self.lines.iter().flat_map(|line| line.layers.keys()) {
            if let Layer::Other(kind, lang) = layer
                && !others.iter().any(|known| (known.0, &known.1) == (*kind, lang))
                && others.len() < MOST_OF_A_KIND
            {
                others.push((*kind, lang.clone()));
            }
        }
        others.sort();
        let mut layers = vec![self.sung(is_synced)];
        layers.extend(others.into_iter().map(|(kind, lang)| self.other(kind, lang, is_synced)));
        layers.retain(|layer| !layer.lines.is_empty());
        (layers.first().is_some_and(|first| first.kind == Kind::Main)).then_some(layers)
    }

    /// What is sung, with everybody who sings.
    fn sung(&self, is_synced: bool) -> Lyrics {
        let mut lyrics = Lyrics { is_synced, lang: self.lang.clone(), ..Lyrics::default() };
        // Each cue line with the id of its voice.
        let mut cues: Vec<(CueLine, String)> = Vec::new();
        for line in &self.lines {
            let part = |layer: &Layer| line.layers.get(layer).cloned().unwrap_or_default();
            let at = lyrics.lines.len();
            let mut words = Vec::new();
            for (layer, voice) in [(Layer::Sung, line.agent.as_str()), (Layer::Behind, BEHIND)] {
                let pieces = part(&layer);
                if pieces.text().is_empty() {
                    continue;
                }
                words.push(pieces.text().to_owned());
                if let Some(cue_line) = cue_line(pieces, line, at).filter(|_| is_synced) {
                    cues.push((cue_line, voice.to_owned()));
                }
            }
            if !words.is_empty() {
                let start_ms = line.start_ms.filter(|_| is_synced);
                lyrics.lines.push(Line { start_ms, text: words.join(" ") });
            }
        }
        self.attribute(&mut lyrics, cues);
        lyrics
    }

    /// Makes agents of the voices that sing. The main one is who sings the first words, unless
    /// those come from behind.
    fn attribute(&self, lyrics: &mut Lyrics, cues: Vec<(CueLine, String)>) {
        let is_declared =
            |id: &str| self.voices.iter().any(|(voice, ..)| voice == id && !id.is_empty());
        let is_any = cues.iter().any(|(_, voice)| voice == BEHIND || is_declared(voice));
        if !is_any {
            lyrics.cue_lines = cues.into_iter().map(|(cues, _)| cues).collect();
            return;
        }
        let mut ids: Vec<String> = Vec::new();
        for (_, voice) in &cues {
            if !ids.contains(voice) {
                ids.push(voice.clone());
            }
        }
        // Somebody must be in front.
        let main = ids.iter().position(|id| id != BEHIND).unwrap_or(0);
        let main = ids.remove(main);
        ids.insert(0, main);
        lyrics.agents = ids
            .iter()
            .enumerate()
            .map(|(at, id)| {
                let declared = self.voices.iter().find(|(voice, ..)| voice == id);
                let role = match declared {
                    _ if at == 0 => Role::Main,
                    _ if id == BEHIND => Role::Background,
                    Some((_, true, _)) => Role::Group,
                    _ => Role::Voice,
                };
                let id = if id.is_empty() { "voice".to_owned() } else { id.clone() };
                Agent {
                    id,
                    role,
                    name: declared.map_or_else(String::new, |(.., name)| name.clone()),
                }
            })
            .collect();
        // A declared voice may be called as we call the nameless.
        for at in 1..lyrics.agents.len() {
            while lyrics.agents[..at].iter().any(|other| other.id == lyrics.agents[at].id) {
                lyrics.agents[at].id.push('_');
            }
        }
        lyrics.cue_lines = cues
            .into_iter()
            .map(|(cues, voice)| CueLine { agent: ids.iter().position(|id| *id == voice), ..cues })
            .collect();
        lyrics.cue_lines.sort_by_key(|cues| (cues.line, cues.agent != Some(0)));
    }

    /// A translation or pronunciation.
    fn other(&self, kind: Kind, lang: String, is_synced: bool) -> Lyrics {
        let layer = Layer::Other(kind, lang.clone());
        let mut lyrics = Lyrics {
            kind,
            is_synced,
            lang: Some(lang).filter(|lang| !lang.is_empty()),
            ..Lyrics::default()
        };
        for line in &self.lines {
            let Some(pieces) = line.layers.get(&layer).filter(|pieces| !pieces.text().is_empty())
            else {
                continue;
            };
            let start_ms = line.start_ms.filter(|_| is_synced);
            let at = lyrics.lines.len();
            lyrics.lines.push(Line { start_ms, text: pieces.text().to_owned() });
            lyrics.cue_lines.extend(cue_line(pieces.clone(), line, at).filter(|_| is_synced));
        }
        lyrics
    }
}

/// The voice of what is sung behind the others.
const BEHIND: &str = "bg";

fn cue_line(pieces: Pieces, line: &Paragraph, at: usize) -> Option<CueLine> {
    let start_ms = pieces.first_ms()?;
    let (text, cues) = pieces.finish(line.end_ms.filter(|end| start_ms <= *end));
    let end_ms = cues.last()?.end_ms;
    Some(CueLine { line: at, start_ms, end_ms, text, agent: None, cues })
}

fn other(kind: Kind, tag: &BytesStart<'_>) -> Layer {
    let lang = attribute(tag, "xml:lang").filter(|lang| is_lang(lang));
    Layer::Other(kind, lang.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SONG: &str = r#"<?xml version="1.0"?>
<tt xmlns="http://www.w3.org/ns/ttml" xmlns:ttm="http://www.w3.org/ns/ttml#metadata"
    xmlns:itunes="http://music.apple.com/lyric-ttml-internal" xml:lang="ja" itunes:timing="Word">
 <head><metadata>
  <ttm:agent type="person" xml:id="v1"><ttm:name type="full">Ann &amp; Co</ttm:name></ttm:agent>
  <ttm:agent type="group" xml:id="v2"/>
  <iTunesMetadata><translations><translation xml:lang="en"><text for="L1">Open eyes</text></translation></translations></iTunesMetadata>
 </metadata></head>
 <body><div>
  <p begin="00:02.000" end="4s" ttm:agent="v1" itunes:key="L1"><span begin="2.0" end="2.5">目</span><span begin="2.5s" end="3000ms">を</span> <span ttm:role="x-bg"><span begin="3s" end="3.5s">(ah)</span></span><span ttm:role="x-roman" xml:lang="ja-Latn">me o</span></p>
  <p begin="1:04.5" end="0:01:06" ttm:agent="v2" itunes:key="L2">All &#233;gal<br/>together</p>
 </div></body></tt>"#;

    #[test]
    fn voices_layers_and_words() {
        let layers = parse(SONG).unwrap();
        let kinds: Vec<_> =
            layers.iter().map(|layer| (layer.kind, layer.lang.as_deref().unwrap())).collect();
        assert_eq!(
            kinds,
            [(Kind::Main, "ja"), (Kind::Translation, "en"), (Kind::Pronunciation, "ja-Latn")]
        );
        let main = &layers[0];
        let lines: Vec<_> =
            main.lines.iter().map(|line| (line.start_ms.unwrap(), line.text.as_str())).collect();
        assert_eq!(lines, [(2000, "目を (ah)"), (64_500, "All égal together")]);
        let agents: Vec<_> = main
            .agents
            .iter()
            .map(|agent| (agent.id.as_str(), agent.role, agent.name.as_str()))
            .collect();
        assert_eq!(agents, [("v1", Role::Main, "Ann & Co"), ("bg", Role::Background, "")]);
        let cues: Vec<_> = main
            .cue_lines
            .iter()
            .map(|line| (line.line, line.agent, line.text.as_str(), line.cues.len(), line.end_ms))
            .collect();
        assert_eq!(
            cues,
            [(0, Some(0), "目を", 2, Some(3000)), (0, Some(1), "(ah)", 1, Some(3500))]
        );
        assert_eq!(main.cue_lines[0].cues[1].bytes, 3..6);
        assert_eq!(
            (layers[1].lines[0].text.as_str(), layers[1].lines[0].start_ms),
            ("Open eyes", Some(2000))
        );
        assert_eq!(layers[2].lines[0].text, "me o");
    }

    #[test]
    fn words_may_count_from_their_line() {
        let song = r#"<tt><body><p begin="10s" end="12s"><span begin="0s" end="1s">a</span> <span begin="1s">b</span></p></body></tt>"#;
        let main = &parse(song).unwrap()[0];
        let cues: Vec<_> =
            main.cue_lines[0].cues.iter().map(|cue| (cue.start_ms, cue.end_ms)).collect();
        assert_eq!(cues, [(10_000, Some(11_000)), (11_000, Some(12_000))]);
        assert!(main.agents.is_empty());
    }

    #[test]
    fn what_is_no_ttml_is_text() {
        for body in
            ["<tt", "<tt></tt>", "<p>x</p>", "<!DOCTYPE tt [<!ENTITY a \"b\">]><tt><p>&a;</p></tt>"]
        {
            assert!(!is_ttml(body) || parse(body).is_none(), "{body}");
        }
        let deep = format!("<tt>{}<p>x</p>", "<div>".repeat(100));
        assert!(parse(&deep).is_none());
        let plain = parse("<tt><body><div><p>One</p><p>Two</p></div></body></tt>").unwrap();
        assert!(!plain[0].is_synced);
        assert_eq!(plain[0].plain(), "One\nTwo");
    }
}
