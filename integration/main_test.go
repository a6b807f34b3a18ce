package integration

import (
	"os"
	"testing"

	"burnfs/integration/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }
