package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"strings"
)

// A system is one thing that RingCentral's messaging does, where it is called or taken in, and the test that shows it.
type system struct {
	System, What string
	Code, Test   place
}

// A place is a function (Name, or Type.Name for a method) of the package in Dir; File is found.
type place struct{ Dir, Name, File string }

// sandboxPath is what a test's package must import to count.
const sandboxPath = `"github.com/ringbridge/ringbridge/internal/sandbox"`

const (
	engage   = "Engage Digital"
	social   = "Social and Advanced Messaging"
	store    = "SMS and message store"
	bots     = "Bots API"
	oauth    = "OAuth"
	notifies = "Subscriptions"

	client = "internal/ringcentral"
)

func systems() []system {
	clientOf := func(name string) place { return place{Dir: client, Name: name} }
	shown := func(name string) place { return place{Dir: client, Name: name} }
	e2e := func(name string) place { return place{Dir: "internal/e2e", Name: name} }
	onContents, onSocial, onStore := shown("TestEngageContentsOnTheSandbox"), shown("TestSocialContentsOnTheSandbox"), shown("TestTheMessageStoreOnTheSandbox")
	return []system{
		{engage, "contents: list and page", clientOf("Engage.Contents"), place{Dir: "ingest/poll", Name: "TestEverythingInTheSandboxReachesTheInbox"}},
		{engage, "contents: filter", clientOf("Engage.Contents"), onContents},
		{engage, "contents: one", clientOf("Engage.Content"), onContents},
		{engage, "contents: create", clientOf("Engage.CreateContent"), e2e("TestFiveHundredCommands")},
		{engage, "content.imported and every other webhook", place{Dir: "ingest/webhook", Name: "Receiver.receive"}, e2e("TestAThousandContentsEachOnce")},
		{engage, "identities: all", clientOf("Engage.Identities"), onContents},
		{engage, "identities: one", clientOf("Engage.Identity"), e2e("TestAuthorsAndAttachmentsComeFromTheAPI")},
		{engage, "webhook registration", clientOf("Engage.Webhooks"), place{Dir: "cmd/ringbridge", Name: "TestTheDoctorSaysWhatToDo"}},
		{social, "contents: list and page", clientOf("Platform.Contents"), place{Dir: "ingest/poll", Name: "TestSocialRowsReachTheInbox"}},
		{social, "contents: filter", clientOf("Platform.Contents"), onSocial},
		{social, "contents: one", clientOf("Platform.Content"), onSocial},
		{social, "contents: create", clientOf("Platform.CreateContent"), e2e("TestSocialContentsBothWays")},
		{social, "content.imported and its like", place{Dir: "ingest/webhook", Name: "Receiver.notify"}, e2e("TestSocialContentsBothWays")},
		{social, "identities: all", clientOf("Platform.Identities"), place{Dir: "ingest/poll", Name: "TestSocialRowsReachTheInbox"}},
		{social, "identities: one", clientOf("Platform.Identity"), onSocial},
		{store, "send a text", clientOf("Platform.SendSMS"), e2e("TestTextMessagesBothWays")},
		{store, "send attachments (MMS)", clientOf("Platform.SendMMS"), place{Dir: "consume", Name: "TestEveryActionHasOneEffectAndOneResult"}},
		{store, "status until it is final", clientOf("Platform.SyncMessages"), e2e("TestTextMessagesBothWays")},
		{store, "list", clientOf("Platform.Messages"), place{Dir: "cmd/ringbridge", Name: "TestMessagesAreListedAndShown"}},
		{store, "one", clientOf("Platform.Message"), onStore},
		{store, "delete", clientOf("Platform.DeleteMessage"), place{Dir: "consume", Name: "TestTwoDeletesOfAMessageDoNotPurgeIt"}},
		{store, "restore", clientOf("Platform.UpdateMessage"), place{Dir: "consume", Name: "TestADeletedMessageIsRestored"}},
		{store, "read status", clientOf("Platform.UpdateMessage"), onStore},
		{store, "numbers", clientOf("Platform.PhoneNumbers"), onStore},
		{store, "attachment", clientOf("Platform.Attachment"), place{Dir: "cmd/ringbridge", Name: "TestAnAttachmentIsDownloadedWholeOrNotAtAll"}},
		{store, "instant notifications and hints", place{Dir: "ingest/webhook", Name: "Receiver.notify"}, e2e("TestTextMessagesBothWays")},
		{notifies, "create, find again, renew, replace", clientOf("Platform.Subscribe"), place{Dir: "ingest/subscribe", Name: "TestASubscriptionIsMadeOnceAndFoundAgain"}},
		{notifies, "Blacklisted, expired, deleted", place{Dir: "ingest/subscribe", Name: "Keeper.Run"}, place{Dir: "ingest/subscribe", Name: "TestADeadSubscriptionIsMadeAnewAndAllIsPolled"}},
		{bots, "handover from bot to agent", clientOf("Engage.Handover"), shown("TestHandoverBothWaysOnTheSandbox")},
		{bots, "handover from agent to bot", clientOf("Engage.Handover"), shown("TestHandoverBothWaysOnTheSandbox")},
		{oauth, "JWT grant, refresh, renewal after a 401", clientOf("Platform.Authenticate"), place{Dir: "ingest/poll", Name: "TestARevokedCredentialHaltsThePlatformAndHeals"}},
	}
}

// findSystems fills in the file of each place of the table, or an error that names the first that is not there.
func findSystems(repository files, table []system) ([]system, error) {
	packages := map[string]*code{}
	find := func(p *place, test bool) error {
		if packages[p.Dir] == nil {
			c, err := read(repository, p.Dir)
			if err != nil {
				return err
			}
			packages[p.Dir] = c
		}
		c := packages[p.Dir]
		if p.File = c.functions[p.Name]; p.File == "" {
			return fmt.Errorf("no %s in %s", p.Name, p.Dir)
		}
		if test && !c.simulated {
			return fmt.Errorf("the tests of %s, with %s, do not use the sandbox", p.Dir, p.Name)
		}
		return nil
	}
	for i := range table {
		if err := find(&table[i].Code, false); err != nil {
			return nil, err
		}
		if err := find(&table[i].Test, true); err != nil {
			return nil, err
		}
	}
	return table, nil
}

// code is what the files of a folder hold: the file of each function, and whether its tests use the sandbox.
type code struct {
	functions map[string]string
	simulated bool
}

func read(repository files, dir string) (*code, error) {
	entries, err := repository.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	c := &code{functions: map[string]string{}}
	for _, entry := range entries {
		if path.Ext(entry.Name()) != ".go" {
			continue
		}
		name := path.Join(dir, entry.Name())
		text, err := repository.ReadFile(name)
		if err != nil {
			return nil, err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, imported := range file.Imports {
			c.simulated = c.simulated || imported.Path.Value == sandboxPath && strings.HasSuffix(name, "_test.go")
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok {
				c.functions[nameOf(f)] = name
			}
		}
	}
	return c, nil
}

// nameOf returns a function's name, a method's behind that of its type.
func nameOf(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return f.Name.Name
	}
	of := f.Recv.List[0].Type
	if star, ok := of.(*ast.StarExpr); ok {
		of = star.X
	}
	if id, ok := of.(*ast.Ident); ok {
		return id.Name + "." + f.Name.Name
	}
	return f.Name.Name
}
