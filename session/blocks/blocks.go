// Package blocks reads the disc for everything above the drive: whole blocks
// for the parsers of ISO 9660 and byte ranges for files, through one cache.
//
//	ReadAt(byte address) ─┐
//	                      ├─▶ cache of chunks of 32 blocks ─▶ Source (the drive)
//	ReadBlocks(LBA) ──────┘   large aligned reads pass by it
//
// Reads that fill whole chunks go to the drive directly, since the kernel
// keeps file pages itself; the cache serves directories and small files. A
// chunk that cannot be read whole, at the end of what is written or around a
// bad block, is not cached and only the blocks asked for are read.
package blocks

import (
	"context"
	"fmt"

	lru "github.com/hashicorp/golang-lru/v2"

	"burnfs/iso9660"
	"burnfs/mmc"
)

const (
	chunkBlocks = 32
	chunkBytes  = chunkBlocks * iso9660.BlockSize
	// cacheChunks bounds the cache to 16 MiB.
	cacheChunks = 256
	// direct is the size in bytes from which a read passes by the cache.
	direct = chunkBytes
)

// Source reads whole blocks.
type Source interface {
	ReadBlocks(ctx context.Context, lba uint32, p []byte) error
}

// Reader reads a disc. Its methods may be called by several goroutines.
type Reader struct {
	src   Source
	cache *lru.Cache[uint32, []byte] // chunk number → chunk; chunks never change
	// broken holds the numbers of chunks that cannot be read whole: drives take
	// long to give up, so that is not tried for each block again.
	broken *lru.Cache[uint32, struct{}]
}

// New reads from src.
func New(src Source) *Reader { return NewSmall(src, cacheChunks*chunkBytes) }

// NewSmall reads from src with a cache of so many bytes, a whole number of chunks.
func NewSmall(src Source, size int) *Reader {
	c, err := lru.New[uint32, []byte](max(size/chunkBytes, 1))
	if err != nil {
		panic(err) // only for a size below one
	}
	b, err := lru.New[uint32, struct{}](cacheChunks)
	if err != nil {
		panic(err)
	}
	return &Reader{src: src, cache: c, broken: b}
}

// Forget empties the cache, after the disc was written.
func (r *Reader) Forget() {
	r.cache.Purge()
	r.broken.Purge()
}

// ReadBlocks fills p, whole blocks of 2048 bytes, from block lba on.
func (r *Reader) ReadBlocks(ctx context.Context, lba uint32, p []byte) error {
	if len(p)%iso9660.BlockSize != 0 {
		return fmt.Errorf("blocks: read of %d bytes, not whole blocks", len(p))
	}
	return r.ReadAt(ctx, p, int64(lba)*iso9660.BlockSize)
}

// ReadAt fills p from byte address addr of the disc on.
func (r *Reader) ReadAt(ctx context.Context, p []byte, addr int64) error {
	if addr < 0 || (addr+int64(len(p)))/iso9660.BlockSize > 1<<32 {
		return fmt.Errorf("blocks: address %d is beyond any disc: %w", addr, mmc.ErrOutOfRange)
	}
	if len(p) >= direct && addr%iso9660.BlockSize == 0 {
		n := len(p) - len(p)%iso9660.BlockSize
		if err := r.src.ReadBlocks(ctx, uint32(addr/iso9660.BlockSize), p[:n]); err != nil {
			return err
		}
		p, addr = p[n:], addr+int64(n)
	}
	for len(p) > 0 {
		n, err := r.readChunk(ctx, p, addr)
		if err != nil {
			return err
		}
		p, addr = p[n:], addr+int64(n)
	}
	return nil
}

// readChunk reads the part of p that lies in the first chunk.
func (r *Reader) readChunk(ctx context.Context, p []byte, addr int64) (int, error) {
	number, off := uint32(addr/chunkBytes), int(addr%chunkBytes)
	n := min(len(p), chunkBytes-off)
	if c, ok := r.cache.Get(number); ok {
		return copy(p[:n], c[off:]), nil
	}
	c := make([]byte, chunkBytes)
	if !r.broken.Contains(number) {
		err := r.src.ReadBlocks(ctx, number*chunkBlocks, c)
		switch {
		case err == nil:
			r.cache.Add(number, c)
			return copy(p[:n], c[off:]), nil
		case ctx.Err() != nil:
			return 0, ctx.Err()
		case Unreadable(err):
			r.broken.Add(number, struct{}{})
		}
	}
	from := off - off%iso9660.BlockSize
	to := (off + n + iso9660.BlockSize - 1) / iso9660.BlockSize * iso9660.BlockSize
	if err := r.src.ReadBlocks(ctx, number*chunkBlocks+uint32(from/iso9660.BlockSize), c[from:to]); err != nil {
		return 0, err
	}
	return copy(p[:n], c[off:]), nil
}
