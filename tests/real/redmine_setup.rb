# Makes a fresh Redmine database that answers its REST API: tables, trackers and statuses, what invoices need, one
# administrator with a key.
# Run by servers.sh inside Redmine (`rails runner`); prints the administrator's API key.
ActiveRecord::Migration.verbose = false
ActiveRecord::Base.connection.migration_context.migrate
ActiveRecord::Base.descendants.each(&:reset_column_information)
Redmine::DefaultData::Loader.load('en')
Setting.rest_api_enabled = '1'
Setting.default_language = 'en'

# An invoice is an issue of a tracker of its own. A move that the workflow does not allow is left out in silence.
draft = IssueStatus.find_by!(name: 'New')
invoice = Tracker.create!(name: 'Invoice', default_status: draft)
statuses = ['To be invoiced', 'Invoiced', 'Invoicing failed'].map { |name| IssueStatus.create!(name: name) }
Role.givable.each do |role|
  [draft, *statuses].permutation(2) { |from, to| WorkflowTransition.create!(tracker: invoice, role: role, old_status: from, new_status: to) }
end
{ 'Invoice date' => 'date', 'Invoice total' => 'float', 'Invoice number' => 'string' }.each do |name, format|
  IssueCustomField.create!(name: name, field_format: format, trackers: [invoice], is_for_all: true)
end
TimeEntryCustomField.create!(name: 'Price', field_format: 'float')

admin = User.find_by_login('admin')
admin.update_columns(must_change_passwd: false)
puts admin.api_key
