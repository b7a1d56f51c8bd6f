// Verifies what `corridor audit export` has written with programs of others: golang.org/x/mod/sumdb/note for signatures,
// github.com/transparency-dev/formats for checkpoints, github.com/transparency-dev/merkle for the tree and its proofs.
//
// Usage: audit-verifier FOLDER PUBLIC-KEY... Prints the number of entries and checkpoints, or what is wrong, and exits 1.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/transparency-dev/formats/log"
	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
)

const maxLine = 1 << 20

type entry struct {
	Index uint64 `json:"index"`
	Leaf  []byte `json:"leaf"`
}

type checkpoint struct {
	Note        string   `json:"note"`
	Consistency [][]byte `json:"consistency"`
}

type inclusion struct {
	Index uint64   `json:"index"`
	Path  [][]byte `json:"path"`
}

// lines reads a file of JSON objects, one a line.
func lines[T any](name string) ([]T, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, maxLine)
	var all []T
	for scanner.Scan() {
		var one T
		if err := json.Unmarshal(scanner.Bytes(), &one); err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", name, len(all)+1, err)
		}
		all = append(all, one)
	}
	return all, scanner.Err()
}

// open checks a note by whichever key has signed it.
func open(text string, keys []note.Verifier) (*log.Checkpoint, error) {
	var err error
	for _, key := range keys {
		var found *log.Checkpoint
		if found, _, _, err = log.ParseCheckpoint([]byte(text), key.Name(), key); err == nil {
			return found, nil
		}
	}
	return nil, err
}

func verify(folder string, keys []note.Verifier) (int, int, error) {
	entries, err := lines[entry](filepath.Join(folder, "entries.ndjson"))
	if err != nil {
		return 0, 0, err
	}
	notes, err := lines[checkpoint](filepath.Join(folder, "checkpoints.ndjson"))
	if err != nil {
		return 0, 0, err
	}
	proofs, err := lines[inclusion](filepath.Join(folder, "proofs.ndjson"))
	if err != nil {
		return 0, 0, err
	}
	hasher := rfc6962.DefaultHasher
	tree := (&compact.RangeFactory{Hash: hasher.HashChildren}).NewEmptyRange(0)
	var before *log.Checkpoint
	for i, one := range notes {
		signed, err := open(one.Note, keys)
		if err != nil {
			return 0, 0, fmt.Errorf("checkpoint %d: %w", i, err)
		}
		for tree.End() < signed.Size {
			at := tree.End()
			if at >= uint64(len(entries)) {
				return 0, 0, fmt.Errorf("checkpoint %d is over %d entries, and there are %d", i, signed.Size, len(entries))
			}
			if entries[at].Index != at {
				return 0, 0, fmt.Errorf("entry %d stands at %d", entries[at].Index, at)
			}
			if err := tree.Append(hasher.HashLeaf(entries[at].Leaf), nil); err != nil {
				return 0, 0, err
			}
		}
		if tree.End() != signed.Size {
			return 0, 0, fmt.Errorf("checkpoint %d is over %d entries, after one over %d", i, signed.Size, tree.End())
		}
		root, err := tree.GetRootHash(nil)
		if err != nil {
			return 0, 0, err
		}
		if string(root) != string(signed.Hash) {
			return 0, 0, fmt.Errorf("checkpoint %d: the entries have root %s", i, base64.StdEncoding.EncodeToString(root))
		}
		if before != nil {
			if err := proof.VerifyConsistency(hasher, before.Size, signed.Size, one.Consistency, before.Hash, signed.Hash); err != nil {
				return 0, 0, fmt.Errorf("checkpoint %d does not follow the one before: %w", i, err)
			}
		}
		before = signed
	}
	if before == nil {
		return 0, 0, fmt.Errorf("there is no checkpoint")
	}
	if uint64(len(entries)) != before.Size || len(proofs) != len(entries) {
		return 0, 0, fmt.Errorf("%d entries, %d proofs, and the newest checkpoint is over %d", len(entries), len(proofs), before.Size)
	}
	for i, one := range proofs {
		if one.Index != uint64(i) {
			return 0, 0, fmt.Errorf("the proof of entry %d stands at %d", one.Index, i)
		}
		leaf := hasher.HashLeaf(entries[i].Leaf)
		if err := proof.VerifyInclusion(hasher, one.Index, before.Size, leaf, one.Path, before.Hash); err != nil {
			return 0, 0, fmt.Errorf("entry %d: %w", i, err)
		}
	}
	return len(entries), len(notes), nil
}

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: audit-verifier FOLDER PUBLIC-KEY...")
		os.Exit(2)
	}
	var keys []note.Verifier
	for _, text := range os.Args[2:] {
		key, err := note.NewVerifier(text)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		keys = append(keys, key)
	}
	entries, checkpoints, err := verify(os.Args[1], keys)
	if err != nil {
		fmt.Println("NOT VERIFIED:", err)
		os.Exit(1)
	}
	fmt.Printf("verified: %d entries, %d checkpoints\n", entries, checkpoints)
}
