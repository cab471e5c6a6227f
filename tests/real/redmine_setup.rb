# Makes a fresh Redmine database that answers its REST API: tables, trackers and statuses, one administrator with a key.
# Run by servers.sh inside Redmine (`rails runner`); prints the administrator's API key.
ActiveRecord::Migration.verbose = false
ActiveRecord::Base.connection.migration_context.migrate
ActiveRecord::Base.descendants.each(&:reset_column_information)
Redmine::DefaultData::Loader.load('en')
Setting.rest_api_enabled = '1'
Setting.default_language = 'en'
admin = User.find_by_login('admin')
admin.update_columns(must_change_passwd: false)
puts admin.api_key
