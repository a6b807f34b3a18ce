// Package discs opens what a user calls a disc: a real drive by its device node,
// an emulated disc made by `burnfs create`, or a plain ISO image. Behind this
// door there are only MMC commands.
package discs
