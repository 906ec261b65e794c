"""The embedded recogniser and aligner: PocketSphinx 5 with the US English model of its package.

  pocketsphinx_engine.py transcribe --audio VOICE.wav --out OUT.json
  pocketsphinx_engine.py align      --audio VOICE.wav --text IN.json --out OUT.json [--espeak PROGRAM]
  pocketsphinx_engine.py version

VOICE.wav  16 000 Hz, mono, 16 bit
IN.json    {"words": ["…", …]}: the words of the whole recording, in order
OUT.json   transcribe: {"pieces": [[{"word", "start", "end", "confidence"}, …], …]}, a piece being what lies between two pauses
           align: {"times": [[start, end] or null, …]}, one for every given word; null where a word could not be placed
stdout     {"progress": 0.5} lines; on failure one {"error", "message"}; exit 2 bad request, 3 PocketSphinx missing, 4 bad audio

Seconds everywhere. Memory does not grow with the length of the recording: transcription goes from pause to pause, alignment of
long recordings goes in windows.
"""
import argparse
import array
import json
import os
import re
import subprocess
import sys
import unicodedata
import wave

RATE = 16000                    # samples per second
FRAME = 0.01                    # seconds per frame of the recogniser
PIECE = 30.0                    # longest piece that is recognised in one go; time grows faster than length
WHOLE = 420.0                   # up to here the text is aligned in one go, anchored at both ends
WINDOW = 300.0                  # beyond, in windows of this length …
MARGIN = 30.0                   # … of which the end is thrown away: there the text has no anchor
GUESSED = "x~"                  # begins the dictionary's words that were added here
FASTEST = 5.0                   # words per second that nobody exceeds for a whole window

# espeak-ng's phoneme names (en-us) and the phones of the CMU dictionary
PHONES = {key: phones.split() for key, phones in (item.split(":", 1) for item in """
a:AE|aa:AE|a#:AH|A:AA|0:AA|O:AO|V:AH|@:AH|@2:AH|@5:AH|3:ER|E:EH|E2:EH|I:IH|I2:IH|I#:IH|i:IY|U:UH|u:UW|e:EY|o:OW
aI:AY|aU:AW|OI:OY|eI:EY|oU:OW|A@:AA R|O@:AO R|o@:AO R|e@:EH R|i@:IY R|i@3:IH R|U@:UH R|aI@:AY AH|aI3:AY ER|aU@:AW ER|@L:AH L
p:P|b:B|t:T|d:D|k:K|g:G|f:F|v:V|T:TH|D:DH|s:S|z:Z|S:SH|Z:ZH|h:HH|tS:CH|dZ:JH|m:M|n:N|N:NG|l:L|r:R|j:Y|w:W|x:K|t#:T|t2:T|n-:N AH
C:SH|y:UW|R:R
""".replace("\n", "|").strip("|").split("|"))}
# where espeak-ng is missing: rough, but a word with a wrong sound is placed far better than a missing word
LETTERS = dict(zip("abcdefghijklmnopqrstuvwxyz", "AE B K D EH F G HH IH JH K L M N OW P K R S T AH V W K IY Z".split()))
DIGITS = dict(zip("0123456789", ("Z IH R OW|W AH N|T UW|TH R IY|F AO R|F AY V|S IH K S|S EH V AH N|EY T|N AY N").split("|")))


class Failure(Exception):
    def __init__(self, status, kind, message):
        super().__init__(message)
        self.status, self.kind, self.message = status, kind, message


def say(**fields):
    print(json.dumps(fields), flush=True)


def opened(path):
    try:
        audio = wave.open(path, "rb")
    except Exception as error:
        raise Failure(4, "bad_audio", str(error) or type(error).__name__)
    if (audio.getframerate(), audio.getnchannels(), audio.getsampwidth()) != (RATE, 1, 2):
        raise Failure(4, "bad_audio", "not 16 kHz mono 16 bit")
    return audio


def samples(audio, start, seconds):
    audio.setpos(min(int(start * RATE), audio.getnframes()))
    return audio.readframes(int(seconds * RATE))


# ---------------------------------------------------------------- transcription

def quietest(data, seconds):
    """Byte offset of the quietest 30 ms within the last `seconds` of the samples: where a cut hurts least."""
    step = int(0.03 * RATE) * 2
    first = max(0, len(data) - int(seconds * RATE) * 2)
    best, at = None, len(data)
    for offset in range(first - first % 2, len(data) - step + 1, step):
        loudness = sum(map(abs, array.array("h", data[offset:offset + step])))
        if best is None or loudness < best:
            best, at = loudness, offset + step // 4 * 2
    return at


def speech(audio):
    """(start, samples) for what the voice detector takes for speech, in pieces of at most PIECE seconds."""
    from pocketsphinx import Endpointer
    detector = Endpointer(sample_rate=RATE)
    frames = detector.frame_bytes // 2
    limit = int(PIECE * RATE) * 2
    collected, start = bytearray(), 0.0
    while True:
        block = audio.readframes(frames)
        if not block:
            break
        heard = detector.process(block) if len(block) == frames * 2 else detector.end_stream(block)
        if heard is None:
            continue
        if not collected:
            start = detector.speech_start
        collected += heard
        if len(collected) >= limit:
            cut = quietest(collected, 5)
            yield start, bytes(collected[:cut])
            start += cut / 2 / RATE
            del collected[:cut]
        if not detector.in_speech:
            if collected:
                yield start, bytes(collected)
            collected = bytearray()
    if collected:
        yield start, bytes(collected)


def transcribe(audio):
    from pocketsphinx import Decoder
    decoder = Decoder(samprate=RATE, loglevel="FATAL")
    logarithms = decoder.get_logmath()
    total = audio.getnframes() / RATE
    pieces = []
    for start, data in speech(audio):
        decoder.start_utt()
        decoder.process_raw(data, full_utt=True)
        decoder.end_utt()
        words = []
        if decoder.hyp():
            for found in decoder.seg() or []:
                if found.word[0] in "<[+":                  # silence, noise
                    continue
                words.append(dict(
                    word=re.sub(r"\(\d+\)$", "", found.word),
                    start=round(start + found.start_frame * FRAME, 2),
                    end=round(min(total, start + (found.end_frame + 1) * FRAME), 2),
                    confidence=round(max(0.0, min(1.0, logarithms.exp(found.prob))), 3)))
        if words:
            pieces.append(words)
        say(progress=round(min(1.0, audio.tell() / max(1, audio.getnframes())), 4))
    return dict(pieces=pieces)


# ---------------------------------------------------------------- alignment

class Dictionary:
    """From written words to entries of the recogniser's dictionary, which grows by what it lacks."""

    def __init__(self, decoder, espeak):
        self.decoder, self.espeak, self.known = decoder, espeak, {}

    def entries(self, written):
        """The dictionary's words for one written word: none for `—`, two for `half-way`."""
        if written not in self.known:
            plain = unicodedata.normalize("NFKC", written).lower().replace("’", "'")
            self.known[written] = [entry for entry in map(self.entry, re.split(r"[^\w']+|_", plain)) if entry]
        return self.known[written]

    def entry(self, part):
        word = part.strip("'")[:60]
        bare = "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))
        if not re.search("[a-z0-9]", bare):                 # another script: nobody here knows how it sounds
            return None
        forms = [word, part, bare, word + "'"] + ([word + "g"] if word.endswith("in") else [])      # singin' -> singing
        for form in forms:
            if self.decoder.lookup_word(form):
                return form
        name = GUESSED + bare.encode("ascii", "backslashreplace").decode().replace("\\", "x").replace("'", "x")
        if not self.decoder.lookup_word(name):
            self.decoder.add_word(name, " ".join(self.phones(word, bare)[:40]), False)
        return name

    def phones(self, word, bare):
        if self.espeak:
            try:
                said = subprocess.run([self.espeak, "-q", "-x", "--sep=_", "-v", "en-us", "--", word], capture_output=True,
                                      text=True, timeout=5, check=True, stdin=subprocess.DEVNULL).stdout
                found = []
                for phoneme in re.split(r"[_\s]+", said):
                    phoneme = phoneme.strip("',%=:;!|~")
                    phoneme = phoneme if phoneme in PHONES else phoneme.rstrip("0123456789#-.")
                    found += PHONES.get(phoneme) or PHONES.get(phoneme[:1], [])
                if found:
                    return found
            except (OSError, subprocess.SubprocessError, UnicodeError):
                pass
        return [phone for c in bare for phone in (LETTERS.get(c) or DIGITS.get(c) or "").split()] or ["AH"]


class Aligner:
    def __init__(self, espeak):
        from pocketsphinx import Decoder
        # Wide beams and no second pass: the defaults lose the end of a line now and then.
        self.decoder = Decoder(samprate=RATE, lm=None, loglevel="FATAL", bestpath=False, beam=1e-200, wbeam=1e-200, pbeam=1e-200)
        self.dictionary = Dictionary(self.decoder, espeak)

    def place(self, entries, data, whole):
        """Frames (first, last) for each entry in order, None for one that was passed over; shorter where the rest does not fit.
        `whole`: all of them are in the samples; else as many as fit."""
        placed = []
        if whole:
            self.decoder.set_align_text(" ".join(entries))
            placed = self.found(entries, data)
        if not placed:
            # A chain that may be left after every word, and may pass over words whose sound was guessed. With the whole text
            # it is the second try: one word too long for its place must not cost all others theirs.
            end = len(entries) + 1
            chain = [(i, i + 1, 1.0, entry) for i, entry in enumerate(entries)]
            chain += [(i, i + 1, 0.01) for i, entry in enumerate(entries) if entry.startswith(GUESSED)]
            chain += [(i, end, 1.0) for i in range(len(entries) + 1)]
            self.decoder.add_fsg("chain", self.decoder.create_fsg("chain", 0, end, chain))
            self.decoder.activate_search("chain")
            placed = self.found(entries, data)
        return placed

    def found(self, entries, data):
        self.decoder.start_utt()
        self.decoder.process_raw(data, full_utt=True)
        self.decoder.end_utt()
        placed = []
        if self.decoder.hyp():
            for found in self.decoder.seg() or []:
                if found.word[0] in "<[+(":                 # silence, noise, the empty transitions of a chain
                    continue
                word = re.sub(r"\(\d+\)$", "", found.word)
                while len(placed) < len(entries) and entries[len(placed)] != word and entries[len(placed)].startswith(GUESSED):
                    placed.append(None)
                if len(placed) == len(entries) or entries[len(placed)] != word:
                    break
                placed.append((found.start_frame, found.end_frame))
        return placed

    def align(self, audio, words):
        total = audio.getnframes() / RATE
        entries, owner = [], []
        for index, word in enumerate(words):
            for entry in self.dictionary.entries(word):
                entries.append(entry)
                owner.append(index)
        placed = []                                         # (start, end) in seconds of entries[: len(placed)], or None
        at = 0.0
        while len(placed) < len(entries) and at < total:
            left = total - at
            last = left <= WHOLE
            todo = entries[len(placed):] if last else entries[len(placed):len(placed) + int(WINDOW * FASTEST)]
            frames = self.place(todo, samples(audio, at, left if last else WINDOW), last)
            if not last:
                # What ends in the window's margin is looked for again, in the next one.
                while frames and (frames[-1] is None or (frames[-1][1] + 1) * FRAME > WINDOW - MARGIN):
                    frames.pop()
            placed += [found and (at + found[0] * FRAME, at + (found[1] + 1) * FRAME) for found in frames]
            if last:
                break
            # Nothing in this window: step over it.
            at = max(placed[-1][1], at + 1) if frames else at + WINDOW - MARGIN
            say(progress=round(min(1.0, at / total), 4))
        times = [None] * len(words)
        for index, found in zip(owner, placed):
            if found:
                start = times[index][0] if times[index] else found[0]
                times[index] = (round(start, 2), round(min(found[1], total), 2))
        say(progress=1.0)
        return dict(times=times)


def given_words(path):
    try:
        with open(path, encoding="utf-8") as file:
            words = json.load(file)["words"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Failure(2, "bad_request", f"{type(error).__name__}: {error}")
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise Failure(2, "bad_request", "words is not a list of texts")
    return words


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["transcribe", "align", "version"])
    parser.add_argument("--audio")
    parser.add_argument("--text")
    parser.add_argument("--out")
    parser.add_argument("--espeak")
    given = parser.parse_args()
    if given.what == "version":
        from importlib import metadata
        say(version=metadata.version("pocketsphinx"))
        return
    if not given.audio or not given.out or (given.what == "align" and not given.text):
        raise Failure(2, "bad_request", "--audio, --out and for align --text are needed")
    audio = opened(given.audio)
    if given.what == "align":
        result = Aligner(given.espeak).align(audio, given_words(given.text))
    else:
        result = transcribe(audio)
    part = given.out + ".part"
    with open(part, "w", encoding="utf-8") as file:
        json.dump(result, file, ensure_ascii=False, allow_nan=False)
    os.replace(part, given.out)


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        say(error=failure.kind, message=failure.message)
        sys.exit(failure.status)
    except ImportError as error:
        say(error="no_engine", message=str(error))
        sys.exit(3)
