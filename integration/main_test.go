package integration

import (
	"fmt"
	"os"
	"testing"

	"burnfs/integration/harness"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(writerEnv); dir != "" {
		fmt.Fprintln(os.Stderr, "the writer ended:", writer(dir))
		return
	}
	os.Exit(harness.Main(m))
}
